"""The HTTP API as functions on values: who carries the requests here, and the answers back, is not its business."""
