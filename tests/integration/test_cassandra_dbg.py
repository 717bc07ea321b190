import time
from test_cassandra_hostile import *
def test_a(start, node, log_in):
    gateway = start()
    session = log_in(gateway); silent(node)
    session.send(b"".join(query(stream) for stream in range(3)))
    session.send(query(0))
    print("GOT", session.receive_rest())
def test_b(start, log_in):
    gateway = start()
    text = "SELECT * FROM system.local"
    requests = b"".join(query(stream, text) for stream in range(STREAMS))
    s = log_in(gateway, timeout=1)
    try: s.send(100*requests)
    except TimeoutError: pass
    t=time.time()
    s.close()
    a = gateway.wait_for_audit("closed")
    print("TOOK", time.time()-t, a)
    t=time.time()
    gateway.command("status")
    print("STATUS", time.time()-t)
    t=time.time()
    gateway.signal(15); gateway.wait_for_exit()
    print("EXIT", time.time()-t)
