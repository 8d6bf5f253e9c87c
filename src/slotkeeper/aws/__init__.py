"""The second home: the same service on AWS, without a server of our own."""
