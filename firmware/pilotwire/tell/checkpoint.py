"""A session as bytes for the journal, so that a power cut loses at most a minute of it."""

import struct

_FORMAT = "<IHiiHBiHiHiHiHIIHIIIIIBhBBI"
SIZE = struct.calcsize(_FORMAT)
_QUALITIES = "SIU"


def pack(session, clock, boot, fault_mask, part):
    """bytes of SIZE for the open session as it is now."""
    s = session
    return struct.pack(
        _FORMAT, s.seq, boot & 0xFFFF, clock.up_s, clock.offset_s, clock.offset_ms & 0xFFFF,
        _QUALITIES.index(clock.quality), s.plugged_s, s.plugged_ms, s.started_s, s.started_ms,
        s.ended_s, s.ended_ms, clock.up_s, clock.up_ms, s.start_wh, s.end_wh, part,
        s.charge_s, s.idle_s, s.peak_ma, s.peak_w, s.offered_ma, s.phases, s.temp_dc,
        1 if s.energy_flawed else 0, 1 if s.charging else 0, fault_mask,
    )


def unpack(data, session, clock):
    """Fill `session` and `clock` from pack()'s bytes; returns (boot, fault_mask, wh_part).

    The session ends where the checkpoint was made.
    """
    f = struct.unpack(_FORMAT, data)
    s = session
    clock.up_s, clock.offset_s = f[2], f[3]
    clock.offset_ms = f[4] - 65536 if f[4] > 32767 else f[4]
    clock.quality = _QUALITIES[f[5]]
    s.begin(f[0], f[6], f[7], f[14])
    s.started_s, s.started_ms, s.ended_s, s.ended_ms = f[8:12]
    s.charge_s, s.idle_s, s.peak_ma, s.peak_w, s.offered_ma, s.phases, s.temp_dc = f[17:24]
    s.energy_flawed = bool(f[24])
    if f[25]:  # charging went on until the power went
        s.ended_s, s.ended_ms = f[12], f[13]
    s.end(f[12], f[13], f[15])
    return f[1], f[26], f[16]


def seq_of(data):
    return struct.unpack_from("<I", data)[0]
