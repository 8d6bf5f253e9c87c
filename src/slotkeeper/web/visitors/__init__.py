"""The pages for visitors: choosing a service and a time, booking it, and seeing to what was booked."""
