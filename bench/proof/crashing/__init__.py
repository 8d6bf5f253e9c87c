"""What the proofs about crashes are made of: a disk that loses power, processes that are killed, and who judges."""
