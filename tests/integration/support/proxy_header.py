"""PROXY headers as load balancers write them, and as nobody should."""

import ipaddress
import struct

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = 0x20, 0x21
UNSPEC, TCP4, UDP4, TCP6, UNIX = 0x00, 0x11, 0x12, 0x21, 0x31
AWS, AZURE, GCP, CRC32C = 0xEA, 0xEE, 0xE0, 0x03


def v1(source, destination="192.0.2.200", source_port=50000, destination_port=3306):
    family = "TCP4" if ipaddress.ip_address(source).version == 4 else "TCP6"
    return f"PROXY {family} {source} {destination} {source_port} {destination_port}\r\n".encode()


def v2(source, *values, destination=None, source_port=50000, destination_port=3306,
       checksum=False):
    """`values`: type-length-values, as the functions below make them."""
    address = ipaddress.ip_address(source)
    if destination is None:
        destination = "192.0.2.200" if address.version == 4 else "2001:db8::200"
    body = (address.packed + ipaddress.ip_address(destination).packed +
            struct.pack(">HH", source_port, destination_port))
    family = TCP4 if address.version == 4 else TCP6
    body += b"".join(values)
    if not checksum:
        return raw_v2(PROXY, family, body)
    header = raw_v2(PROXY, family, body + value(CRC32C, bytes(4)))
    return header[:-4] + struct.pack(">I", crc32c(header))


def raw_v2(command, family, body=b""):
    return SIGNATURE + bytes([command, family]) + struct.pack(">H", len(body)) + body


def value(kind, content):
    return bytes([kind]) + struct.pack(">H", len(content)) + content


def azure(link_id):
    """Azure's is the one little-endian number there is."""
    return value(AZURE, b"\x01" + struct.pack("<I", link_id))


def aws(endpoint):
    return value(AWS, b"\x01" + endpoint.encode())


def gcp(connection):
    return value(GCP, struct.pack(">Q", connection))


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
