#!/bin/sh
# Put a file into the lab's object store, or get it: store.sh put|get <file>
set -eu
key=$(kubectl get secret writer --namespace=objects \
  -o jsonpath='{.data.AWS_SECRET_ACCESS_KEY}' | base64 --decode)
bucket=${STORE_URL:-http://localhost:8333}/backups

call() { # curl reads the key from standard input: others can't see it there
  printf 'user = "writer:%s"\n' "$key" |
    curl --fail --silent --show-error --config - \
      --aws-sigv4 aws:amz:us-east-1:s3 "$@"
}

case $1 in
  put)
    call --head --output /dev/null "$bucket" 2>/dev/null ||
      call --request PUT "$bucket" # the first backup makes the bucket
    call --upload-file "$2" "$bucket/$2"
    ;;
  get) call --output "$2" "$bucket/$2" ;;
  *) echo "usage: store.sh put|get <file>" >&2 && exit 2 ;;
esac
