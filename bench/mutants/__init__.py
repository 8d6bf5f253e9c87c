"""Mutation testing: small faults are put into the code one by one, and the tests must notice each.

mutating says which faults, choosing which tests could notice one, trying lets them
try, judging what it comes to.
"""
