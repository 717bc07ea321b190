"""How a client begins TLS."""

import ssl


def client_hello():
    """In one record."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    outgoing = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="gateway.test").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()
