"""The life of a process as others see it: who asks for what by a signal, who is told what, how long an end may take."""
