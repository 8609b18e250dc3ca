"""The way into the web process: requests are read and answers are sent by one loop, whatever the other side's pace.

A thread is taken only once a whole request is here, and given back as soon as its answer is handed over; which threads,
depends on what is asked (`lanes`). gunicorn starts and replaces the process and reads the head of a request.
"""
