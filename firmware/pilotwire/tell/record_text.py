"""The session record as the canonical bytes that are stored, signed and published (contract 1)."""

import hashlib
from binascii import hexlify

from micropython import const

from pilotwire.tell.numbers import amps, tenths

_BLOCK = const(64)


def hmac_sha256(key, data):
    """RFC 2104; 32 bytes."""
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    key = key + bytes(_BLOCK - len(key))
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key))
    inner.update(data)
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in key))
    outer.update(inner.digest())
    return outer.digest()


def _pauses(session, whys):
    """Gaps between charging intervals; the end of the last one is ended_at, not a pause."""
    out = []
    for k in range(min(session.pauses, len(session.pause_why))):
        if session.pause_to_s[k] >= 0:
            out.append(
                '{"from_s":%d,"to_s":%d,"why":"%s"}'
                % (session.pause_from_s[k], session.pause_to_s[k], whys[session.pause_why[k]])
            )
    return "[" + ",".join(out) + "]"


def _series(session):
    return "[" + ",".join(
        "[%d,%d]" % (session.mark_s[k], session.mark_wh[k]) for k in range(session.marks)
    ) + "]"


def _cost(session, facts):
    if facts.price_c < 0 or facts.meter == "none":
        return "null"
    amount = facts.cost(session.energy_wh(), facts.price_c)
    return (
        '{"currency":"%s","total":%d,"rounding":"half up, each line",'
        '"lines":[{"tariff":"flat","wh":%d,"seconds":%d,"amount":%d}]}'
        % (facts.currency, amount, session.energy_wh(), session.charge_s, amount)
    )


def phases_of(mask):
    return (mask & 1) + (mask >> 1 & 1) + (mask >> 2 & 1)


def build(session, clock, facts, boot, stop, detail, fault_codes, prev, lost):
    """bytes of the record. `facts`: device, key, meter, firmware, price_c, cost, currency, limits, whys.

    The last member is `mac`, HMAC-SHA256 with the device's key over the record without it
    (the same text with `,"mac":"..."` taken out); without a key it is null.
    """
    s = session
    quality = "none" if facts.meter == "none" else "broken" if s.energy_flawed else "good"
    text = (
        '{"v":1,"id":"%s-%d","seq":%d,"device":"%s","boot":%d,'
        '"plugged_at":%s,"started_at":%s,"ended_at":%s,"unplugged_at":%s,'
        '"charge_s":%d,"idle_s":%d,'
        % (
            facts.device, s.seq, s.seq, facts.device, boot,
            clock.stamp(s.plugged_s, s.plugged_ms), clock.stamp(s.started_s, s.started_ms),
            clock.stamp(s.ended_s, s.ended_ms), clock.stamp(s.unplugged_s, s.unplugged_ms),
            s.charge_s, s.idle_s,
        )
    )
    if facts.meter == "none":
        text += '"meter_start_wh":null,"meter_end_wh":null,"energy_wh":null,'
    else:
        text += '"meter_start_wh":%d,"meter_end_wh":%d,"energy_wh":%d,' % (
            s.start_wh, s.end_wh, s.energy_wh(),
        )
    text += (
        '"meter_quality":"%s","peak_a":%s,"peak_w":%d,"offered_max_a":%s,"phases":%d,'
        '"stop":"%s","stop_detail":"%s","faults":%s,"pauses":%s,"series":%s,'
        '"cost":%s,"temp_max_c":%s,"firmware":"%s","meter":"%s","limits":%s,"lost_before":%d,'
        '"prev":"%s"'
        % (
            quality, amps(s.peak_ma), s.peak_w, amps(s.offered_ma), phases_of(s.phases),
            stop, detail, fault_codes, _pauses(s, facts.whys), _series(s), _cost(s, facts),
            tenths(s.temp_dc) if s.temp_dc > -1000 else "null",
            facts.firmware, facts.meter, facts.limits, lost, hexlify(prev).decode(),
        )
    )
    mac = "null"
    if facts.key:
        mac = '"' + hexlify(hmac_sha256(facts.key, (text + "}").encode())).decode() + '"'
    return (text + ',"mac":' + mac + "}").encode()
