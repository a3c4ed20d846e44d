"""Filing: drafts, review, publication, in bulk and from folders; rules that need the register."""
