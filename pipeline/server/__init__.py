"""The server: accepts connections, speaks plain HTTP/1.1 itself and lets hypercorn speak the rest.

Neither can end it: whatever a connection raises stays behind its guard.
"""
