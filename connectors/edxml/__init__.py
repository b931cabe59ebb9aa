"""edXML, the dialects that Vietnamese document systems speak: read tolerantly, write strictly.

What arrives this way was proved by its channel at best, never by a seal of ours (protocol §10).
"""
