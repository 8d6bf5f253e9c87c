"""What the home on AWS costs and how fast it is, as far as that can be known without AWS."""
