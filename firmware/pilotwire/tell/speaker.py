"""Payloads of the contract's topics, from what the charger is doing. Formats only; decides nothing."""

from pilotwire import panel
from pilotwire.tell import link
from pilotwire.tell.numbers import amps as _amps
from pilotwire.tell.numbers import tenths


class Speaker:
    """`charger` is control's Charger: only read here; `orders` takes commands."""

    def __init__(self, charger):
        self._charger = charger
        self.orders = charger.orders

    def say(self, bit):
        """For one topic (a bit of link): bytes, (format, values) that make them, or None: nothing."""
        return _SAY[bit](self._charger)


def _online(c):
    return b"online"


def _info(c):
    return (
        '{"v":1,"device":"%s","firmware":"%s","micropython":"%s","board":"%s","meter":"%s",'
        '"rating_a":%s,"installation_a":%s,"contract":%d,"boot":%d,"boot_cause":"%s",'
        '"selftest":"%s","config":"%s","no_driver":"%s"}'
        % (
            c.facts.device, c.facts.firmware, c.micropython, c.board.name, c.facts.meter,
            _amps(c.board.rating_ma), _amps(c.config.installation_ma), 1, c.records.boot, c.cause,
            c.selftest, "safe" if c.config.broken else "copy" if c.config.used_copy else "own",
            c.board.no_driver,
        )
    ).encode()


_LOCK = ('"unlocked"', '"locked"', '"moving"')  # by lock.state


def _state(c):
    """(format, values): the dearest message of all, so it is put together in another tick."""
    seq = c.charging
    offer_ma = seq.offer_ma if seq.offer_ma > 0 else 0
    letter = "ABCDEF"[seq.letter]
    if seq.letter < 4:
        letter += "2" if offer_ma else "1"
    return (
        '{"t":%s,"q":"%s","pilot":"%s","charging":"%s","offered_a":%s,"limit_a":%s,"limit":"%s",'
        '"why":"%s","wait_s":%d,"faults":%s,"contactor":%s,"enabled":%s,"session":%s,"waiting":%d,'
        '"lock":%s,"phases":%d,"phases_ordered":%d,"notices":[%s]}',
        (
            c.clock.text(c.clock.up_s, c.clock.up_ms), c.clock.quality, letter, panel.charging_state(c),
            _amps(offer_ma), _amps(c.limits.ma), c.limit_names[c.limits.which],
            c.facts.whys[seq.why], panel.wait_s(c), c.facts.codes(c.faults.mask()),
            "true" if seq.contactor else "false", "true" if c.enabled else "false",
            '"%s-%d"' % (c.facts.device, c.session.seq) if c.session.open else "null",
            c.records.waiting, _LOCK[c.lock.state] if c.lock else "null",
            c.phases.have if c.phases else c.board.phases,
            c.phases.ordered if c.phases else c.board.phases,
            _notices(c.notices) if c.notices.mask else "",
        ),
    )


def _notices(notices):
    return ",".join(['"%s"' % n for k, n in enumerate(notices.names) if notices.mask >> k & 1])


def _active(c):
    s = c.session
    if not s.open:
        return b""
    energy = "null" if c.facts.meter == "none" else str(s.energy_wh())
    return (
        '{"v":1,"id":"%s-%d","seq":%d,"plugged_at":%s,"started_at":%s,"energy_wh":%s,'
        '"charge_s":%d,"idle_s":%d,"peak_a":%s,"offered_max_a":%s,"cost_minor":%s,"currency":"%s"}'
        % (
            c.facts.device, s.seq, s.seq, c.clock.stamp(s.plugged_s, s.plugged_ms),
            c.clock.stamp(s.started_s, s.started_ms), energy, s.charge_s, s.idle_s,
            _amps(s.peak_ma), _amps(s.offered_ma),
            panel.cost_minor(c) if panel.cost_minor(c) >= 0 else "null", c.facts.currency,
        )
    ).encode()


def _three(values, low_digits):
    """Three fixed-point numbers as JSON: 2 digits after the point for volts, 3 for amps."""
    if low_digits == 2:
        return "[%d.%02d,%d.%02d,%d.%02d]" % (
            values[0] // 100, values[0] % 100, values[1] // 100, values[1] % 100,
            values[2] // 100, values[2] % 100,
        )
    return "[%s,%s,%s]" % (_amps(values[0]), _amps(values[1]), _amps(values[2]))


def _meter(c):
    if c.facts.meter == "none":
        return None
    r = c.reading
    p = r.p_mw
    return (
        '{"v":%s,"i":%s,"w":[%d,%d,%d],"total_w":%d,"pf":[%d.%03d,%d.%03d,%d.%03d],"hz":%d.%02d,'
        '"wh":%d,"temp_c":%s,"fresh":%s}'
        % (
            _three(r.v_cv, 2), _three(r.i_ma, 1), p[0] // 1000, p[1] // 1000, p[2] // 1000,
            (p[0] + p[1] + p[2]) // 1000,
            abs(r.pf_m[0]) // 1000, abs(r.pf_m[0]) % 1000, abs(r.pf_m[1]) // 1000,
            abs(r.pf_m[1]) % 1000, abs(r.pf_m[2]) // 1000, abs(r.pf_m[2]) % 1000,
            r.hz_c // 100, r.hz_c % 100, r.wh, tenths(r.inside_dc()),
            "true" if c.protection.meter_ms < 2000 else "false",
        )
    ).encode()


def _health(c):
    h, records = c.health, c.records
    if not h.last:
        return None
    journal = records.journal
    return (
        '{"tick_median_us":%d,"tick_p99_us":%d,"tick_worst_us":%d,"worst_in":"%s","late":%d,'
        '"heap_free":%d,"heap_least":%d,"reconnects":%d,"flash_wear":%d,"up_s":%d,"ticks":%d,'
        '"stalls":{%s},"flash_erases":%d,"flash_errors":%d,'
        '"lost_records":%d,"hot_openings":%d,"cold_openings":%d,"tell_errors":%d,"tell_error":"%s",'
        '"boot":%d,"boot_cause":"%s","rssi":%s,"resets":{"watchdog":%d,"exception":%d,"command":%d,'
        '"console":%d,"brown_out":%d}}',
        h.last + (
            h.ticks, h.stalls, sum(journal.erases), journal.errors, journal.lost, records.hot,
            records.cold, c.tell_errors, c.tell_error, records.boot, c.cause, c.site.rssi(),
        ) + tuple(c.ends),
    )


_SAY = {
    link.ONLINE: _online,
    link.INFO: _info,
    link.STATE: _state,
    link.ACTIVE: _active,
    link.METER: _meter,
    link.HEALTH: _health,
}
