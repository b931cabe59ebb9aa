"""Thin RQ jobs that carry ids, the queues, the timer loop and the repair of lost doorbells."""
