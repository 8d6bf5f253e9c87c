"""The pages for members of a business: the calendar, what can be booked, and how it all goes."""
