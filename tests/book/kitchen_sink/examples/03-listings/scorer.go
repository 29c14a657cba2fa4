package scorer

// Score prefers pods whose queue is short: 1 for an empty one.
func Score(waiting []int) []float64 {
	scores := make([]float64, len(waiting))
	for pod, length := range waiting {
		scores[pod] = 1 / (1 + float64(length))
	}
	return scores
}
