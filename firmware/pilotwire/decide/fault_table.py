"""The faults, one row each. LED, display, MQTT, README and `pilotwire codes` are made from these rows.

One text, because that is the least memory, and used only when it is needed: at the start compiled()
makes of it what the tick needs, and it is let go (pilotwire.once). What the driver reads of each row
is in tell/faults_en.py and its sisters, one table a language. Columns:
code      what a person reads: blinks of the LED, first line of the display
severity  red stops, amber warns
open      0 the contactor may stay; 1 stop by the pilot, opened after 6 s at the latest; 2 at once
within_ms from the moment at which the fault is certain (`detect`) or, with open 2, from its cause to
          the contactor command; 0 = the contactor is not switched
pilot     while the fault holds: pwm; x1 (steady +12 V); f (state F for 300 ms, then +12 V, so that
          the car is seen to leave)
clears    W when the cause is gone; A after wait_s healthy seconds; T the same, but only `tries`
          times; U when the car has been unplugged; S by button, command or power-off, if the
          self-test then passes; P by service
then      the class that follows when `tries` are used up: T counts its retries, S its failures, A
          how often it came (RESETS: within ten minutes)
ul        class, wait_s and tries under the UL profile, - = the same
detect    what makes it certain
ocpp16, mrec (0 = vendor), ocpp2 (component.variable), everest, stop (OCPP 2.0.1 stoppedReason)

Where a row differs from the usual proposals:
1-1 opens at the second look of 2.2 ms, not after 25 ms: the goal is 30 ms in all.
1-2 tells a missing diode from a car with -10.7 V (letters.py).
1-6 is our own: the plug's lock, on boards that have one.
2-1 and 2-2 are not retried under the UL profile when the charge had not run for 10 s (leakage.py).
3-1 retries 4 times after a minute, then waits for unplugging.
5-1 and 5-2 open at once when their 3 s (UK 4 s) are over: BS 7671 722.411.4.1 leaves 5 s in all, and
the meter's averages take up to 0.8 s. Their 30 s are longer by a random time (supply.py).
5-3 is a lost phase; a wrong rotation is a notice, cars do not mind it.
6-1 is I > 1.10 x offer + 0.5 A for 7 s, 6 s after the offer fell. For 6-2 the upstream breaker
remains the short-circuit protection; above 1.5 x rating it needs 200 ms where the meter has peaks.
7-2 needs 3 s: a plug that goes in slowly, or wet, makes such levels for a while.
8-2 stops, so it is red although its group is amber: no bill can rest on a meter that lies.
"""

from micropython import const

from pilotwire.decide.fault_rows import COUNT

CODE, NAME, SEVERITY, OPEN, WITHIN_MS, PILOT, CLEARS, WAIT_S, TRIES, THEN, UL = range(11)
DETECT, OCPP16, MREC, OCPP2, EVEREST, STOP = range(11, 17)
_NUMBERS = const(6)  # of compiled()

TABLE = """\
code|name|severity|open|within_ms|pilot|clears|wait_s|tries|then|ul|detect|ocpp16|mrec|ocpp2|everest|stop
7-3|contactor welded|red|2|300|f|P|0|0|-|-|closed contacts or voltage 250 ms after opening, or 150 W for \
5 s|PowerSwitchFailure|17|PowerContactor.Problem|MREC17EVSEContactorFault|Other
7-7|firmware self-test|red|2|0|f|S|0|0|-|-|a file of the firmware differs from its manifest at the \
start|InternalError|0|Controller.Selftest|PermanentFault|Other
7-6|configuration|red|2|0|f|S|0|0|-|-|the configuration is missing or wrong at the \
start|InternalError|0|Controller.Problem|VendorError|Other
7-1|residual current self-test|red|2|0|f|S|0|3|P|-|no answer to the test within 500 ms, or none to its \
end|GroundFailure|2|RCD.Problem|Selftest|Other
2-1|residual current AC|red|2|15|f|U|0|0|-|T900x4|the trip line is active at two \
looks|GroundFailure|2|RCD.Tripped|AC|GroundFault
2-2|residual current DC|red|2|15|f|U|0|0|-|T900x4|the trip line is active at two \
looks|GroundFailure|2|RCD.Tripped|DC|GroundFault
3-1|protective earth missing|red|2|1100|f|T|60|4|U|-|the earth monitor is off for 1 \
s|GroundFailure|2|ElectricalFeed.Problem|MREC2GroundFailure|GroundFault
3-2|open PEN conductor|red|2|4100|f|T|30|10|U|-|the earth carries voltage for 4 \
s|GroundFailure|2|ElectricalFeed.Problem|MREC2GroundFailure|GroundFault
7-2|pilot generator|red|2|3100|x1|S|0|0|-|-|12 V not reached for 3 s, or duty or frequency \
off|InternalError|14|CPPWMController.Problem|MREC14PilotFault|Other
7-4|contactor does not close|red|2|600|x1|T|60|3|S|-|contacts open 500 ms after closing|\
PowerSwitchFailure|17|PowerContactor.Problem|MREC17EVSEContactorFault|Other
6-2|hard over-current|red|2|1400|f|U|0|0|-|-|I > 1.25 x offer + 2 A for 1 s, or > 1.5 x \
rating|OverCurrentFailure|4|OverCurrentProtection.Operated|MREC4OverCurrentFailure|OvercurrentFault
1-1|pilot short|red|2|30|x1|U|0|0|-|-|-1 to 1 V at two looks|EVCommunicationError|14|\
CPPWMController.State|MREC14PilotFault|Other
1-2|car diode|red|2|30|f|U|0|0|-|-|the low level above -10 V at two looks|EVCommunicationError|14|\
CPPWMController.Problem|DiodeFault|Other
1-6|plug lock|red|2|30|x1|T|60|3|U|-|not locked 2 s after the order, or open while \
charging|ConnectorLockFailure|1|ConnectorPlugRetentionLock.Problem|MREC1ConnectorLockFailure|Other
1-4|cable coding|red|2|700|x1|U|0|0|-|-|no coding of the table for 500 ms, or another one than \
before|EVCommunicationError|23|Connector.Problem|MREC23ProximityFault|Other
1-3|pilot out of range|red|2|1100|x1|T|60|3|U|-|no plateaus, or levels of no state, for 1 \
s|EVCommunicationError|14|CPPWMController.DCVoltage|MREC14PilotFault|Other
5-1|over-voltage|red|2|4800|x1|A|30|0|-|-|above 264 V for 3 s (UK 253 V, 4 s)|OverVoltage|5|\
ElectricalFeed.ACVoltage|MREC5OverVoltage|PowerQuality
5-2|under-voltage|red|2|4800|x1|A|30|0|-|-|below 195 V for 3 s (UK 207 V, 4 s)|UnderVoltage|6|\
ElectricalFeed.ACVoltage|MREC6UnderVoltage|PowerQuality
5-3|phase missing|red|1|6100|x1|A|30|0|-|-|a phase below 60 % of the nominal voltage for 2 \
s|UnderVoltage|15|ElectricalFeed.SupplyPhases|MREC15PowerLoss|PowerQuality
4-2|too hot|red|1|6100|x1|A|30|0|-|-|85 degC; at 95 degC it opens at once|HighTemperature|19|\
TemperatureSensor.Active|MREC19CableOverTempStop|Other
8-2|meter not plausible|red|1|6100|x1|U|0|0|-|-|energy and power differ for 30 s, or power and currents \
for 5 s; above 1.3 x rating for 5 s|PowerMeterFailure|0|FiscalMetering.Problem|VendorError|Other
6-3|car does not stop|red|2|6100|x1|U|0|0|-|-|above 1 A for 6 s after the stop|EVCommunicationError|\
10|CPPWMController.State|MREC10InvalidVehicleMode|Other
6-1|soft over-current|red|1|6100|x1|T|60|3|U|-|I > 1.10 x offer + 0.5 A for 7 s|OverCurrentFailure|4|\
OverCurrentProtection.Operated|MREC4OverCurrentFailure|OvercurrentFault
1-5|ventilation required|red|2|100|x1|A|3|0|-|-|state D, and the board has no \
ventilation|EVCommunicationError|0|AreaVentilation.Active|VentilationNotAvailable|Other
7-5|unexpected restart|red|2|0|x1|A|30|3|S|-|watchdog, exception or brown-out ended the last \
life|InternalError|15|Controller.Problem|BrownOut|Reboot
4-1|warm|amber|0|0|pwm|W|0|0|-|-|above 65 degC|HighTemperature|18|TemperatureSensor.Active|\
MREC18CableOverTempDerate|Other
4-3|temperature sensor|amber|0|0|pwm|W|0|0|-|-|open, shorted, or a jump of 20 K in a \
second|InternalError|0|TemperatureSensor.Problem|VendorWarning|Other
8-1|meter lost|amber|0|0|pwm|W|0|0|-|-|no answer for 10 s|PowerMeterFailure|0|FiscalMetering.Problem|\
CommunicationFault|Other
8-3|storage failure|amber|0|0|pwm|W|0|0|-|-|flash could not be written|InternalError|0|\
Controller.Problem|VendorWarning|Other
8-4|lid open|amber|0|0|pwm|W|0|0|-|-|the tamper contact is open for 1 s|OtherError|0|\
CaseAccessSensor.Active|EnclosureOpen|Other
"""


def _cells(row):
    at = 0
    for _ in range(row + 1):
        at = TABLE.index("\n", at) + 1
    return TABLE[at : TABLE.index("\n", at)].split("|")


def cell(row, column):
    """Text of one cell; row -1 is the header. Allocates: not for the tick."""
    return _cells(row)[column]


def code(row):
    """The code a person reads: "1-2"."""
    return cell(row, CODE)


def stop_reason(row):
    """OCPP 2.0.1 stoppedReason of a session that it ended."""
    return cell(row, STOP)


def names(row):
    """(name, severity, ocpp16, MREC as JSON, ocpp2, everest) of a row, for its events."""
    cells = _cells(row)
    mrec = int(cells[MREC])
    return (
        cells[NAME], cells[SEVERITY], cells[OCPP16],
        '"CX%03d"' % mrec if mrec else "null", cells[OCPP2], cells[EVEREST],
    )


def compiled(ul=False):
    """What Faults needs: bytes a column, COUNT each: code (major << 4 | minor), traits (bit 0 red,
    1 opens at once, 2 state F), class, class that follows, tries; and wait_s as a list."""
    columns = [bytearray(COUNT) for _ in range(_NUMBERS - 1)]
    waits = []
    for row, line in enumerate(TABLE.split("\n")[1:-1]):
        cells = line.split("|")
        clears, wait_s, tries, then = cells[CLEARS : THEN + 1]
        if ul and cells[UL] != "-":
            clears, then = cells[UL][0], clears
            wait_s, tries = cells[UL][1:].split("x")
        major, minor = cells[CODE].split("-")
        traits = (
            (cells[SEVERITY] == "red") | (cells[OPEN] == "2") << 1 | (cells[PILOT] == "f") << 2
        )
        values = int(major) << 4 | int(minor), traits, ord(clears), ord(then), int(tries)
        for column, value in zip(columns, values):
            column[row] = value
        waits.append(int(wait_s))
    return [bytes(column) for column in columns] + [waits]
