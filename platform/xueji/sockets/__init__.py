"""``python -m xueji.sockets``: the process that holds the pages' open sockets, a thousand of them on one loop.

Nothing depends on it. Whatever a page hears over its socket also stands in the answers to its beats.
"""
