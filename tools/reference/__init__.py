"""Ask the programs what the reference appendices say."""
