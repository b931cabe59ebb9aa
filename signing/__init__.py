"""Seals and their verification: keys, certificates, time-stamps, ASiC-E containers, verdicts.

Bytes and a key make a seal; bytes, trust and an instant make verified content or an error. No
workflow, no SOAP, no table is known here, and nothing is fetched.

    container = seal_container(files, signer=signer, timestamper=tsa.timestamper(now), at=now())
    verified = open_container(container, trust=Trust(anchors=(root,), crls=crls), at=now())
    verified.files["letter.pdf"].content
"""
