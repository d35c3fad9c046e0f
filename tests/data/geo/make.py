#!/usr/bin/env python3
"""Makes the geo databases of the tests: city.mmdb and asn.mmdb beside this file.

The networks are those that are set aside for documentation, the places do not exist. The format is
MaxMind's, version 2.0 (https://maxmind.github.io/MaxMind-DB/): a search tree over the bits of an
address, 16 zero bytes, the records, and what the database says of itself.
"""

import ipaddress
import pathlib
import struct

RECORD_BITS = 24


class Double(float):
    pass


class Float(float):
    pass


class Uint16(int):
    pass


class Uint64(int):
    pass


def control(kind, size):
    """The bytes in front of a value."""
    extended = b"" if kind <= 7 else bytes([kind - 7])
    first = (kind if kind <= 7 else 0) << 5
    if size < 29:
        return bytes([first | size]) + extended
    assert size < 29 + 256
    return bytes([first | 29]) + extended + bytes([size - 29])


def unsigned(kind, value):
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return control(kind, len(data)) + data


def encode(value):
    if isinstance(value, str):
        data = value.encode()
        return control(2, len(data)) + data
    if isinstance(value, Double):
        return control(3, 8) + struct.pack(">d", value)
    if isinstance(value, Float):
        return control(15, 4) + struct.pack(">f", value)
    if isinstance(value, Uint16):
        return unsigned(5, value)
    if isinstance(value, Uint64):
        return unsigned(9, value)
    if isinstance(value, int):
        return unsigned(6, value)
    if isinstance(value, dict):
        return control(7, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())
    if isinstance(value, list):
        return control(11, len(value)) + b"".join(encode(v) for v in value)
    raise TypeError(type(value))


def bits(network, version):
    """The bits of the network's prefix; an IPv4 one in an IPv6 tree lies under ::/96."""
    prefix = f"{int(network.network_address):0{network.max_prefixlen}b}"[: network.prefixlen]
    return "0" * 96 + prefix if version == 6 and network.version == 4 else prefix


def write(path, version, kind, networks):
    data = b""
    offsets = {}
    nodes = [[None, None]]
    for network, record in networks:
        encoded = encode(record)
        if encoded not in offsets:
            offsets[encoded] = len(data)
            data += encoded
        prefix = bits(ipaddress.ip_network(network), version)
        node = 0
        for bit in prefix[:-1]:
            if nodes[node][int(bit)] is None:
                nodes.append([None, None])
                nodes[node][int(bit)] = len(nodes) - 1
            node = nodes[node][int(bit)]
        nodes[node][int(prefix[-1])] = ("record", offsets[encoded])

    def number(child):
        if child is None:
            return len(nodes)
        if isinstance(child, tuple):
            return len(nodes) + 16 + child[1]
        return child

    tree = b"".join(number(child).to_bytes(RECORD_BITS // 8, "big") for node in nodes for child in node)
    metadata = {
        "binary_format_major_version": Uint16(2),
        "binary_format_minor_version": Uint16(0),
        "build_epoch": Uint64(1767225600),
        "database_type": kind,
        "description": {"en": "Invented, for tests"},
        "ip_version": Uint16(version),
        "languages": ["en"],
        "node_count": len(nodes),
        "record_size": Uint16(RECORD_BITS),
    }
    path.write_bytes(tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + encode(metadata))


HAVEN = {
    "city": {"names": {"de": "Nordhafen", "en": "Northhaven"}},
    "continent": {"code": "EU", "names": {"en": "Europe"}},
    "country": {"iso_code": "XN", "names": {"en": "Northland"}},
    "location": {"latitude": Double(51.5142), "longitude": Double(-0.0931), "time_zone": "Europe/London"},
    "postal": {"code": "NH1"},
    "subdivisions": [
        {"iso_code": "NR", "names": {"en": "North Region"}},
        {"iso_code": "NC", "names": {"en": "North County"}},
    ],
}

CITY = [
    ("192.0.2.0/25", HAVEN),
    # On the equator, and nothing but a country.
    ("192.0.2.128/26", {"country": {"names": {"en": "Midland"}}, "location": {"longitude": Double(12.5)}}),
    # Nowhere, without an English name, with empty texts.
    (
        "192.0.2.192/26",
        {
            "city": {"names": {"de": "Nirgends"}},
            "continent": {"code": ""},
            "location": {"latitude": Double(0), "longitude": Double(0), "time_zone": ""},
            "subdivisions": [],
        },
    ),
    # Values of other types than expected.
    (
        "198.51.100.0/24",
        {
            "city": "a text",
            "country": {"names": {"en": 7}},
            "location": {"latitude": Float(0.5), "longitude": Float(-0.25)},
            "postal": {"code": 12345},
            "subdivisions": {"names": {"en": "no list"}},
        },
    ),
    ("2001:db8::/32", HAVEN),
]

ASN = [
    ("192.0.2.0/24", {"autonomous_system_number": 64496, "autonomous_system_organization": "Example Net"}),
    ("198.51.100.0/24", {"autonomous_system_number": 4200000000}),
    ("203.0.113.0/24", {"autonomous_system_number": 0, "autonomous_system_organization": ""}),
]

if __name__ == "__main__":
    here = pathlib.Path(__file__).parent
    write(here / "city.mmdb", 6, "GeoLite2-City", CITY)
    write(here / "asn.mmdb", 4, "GeoLite2-ASN", ASN)
