"""What the template says, in words: each function reads one thing of it, and says whether it is as it should be."""
