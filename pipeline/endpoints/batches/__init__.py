"""`/v1/messages/batches` on OpenAI's Batch API, without a state of our own.

What a later call needs lies upstream: the batch's metadata says whose it is, of which parts it is made, and which file
is its *manifest*: every `custom_id`, how each answer is to be read, and the results of requests that never went up.
"""
