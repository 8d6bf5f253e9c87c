"""Attacking the running service: what there is to attack, hostile requests, and what may be answered to them."""
