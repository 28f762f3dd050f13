"""The faults, one row each. LED, display, MQTT and the README's table are made from these rows.

Kept as one text because that costs a quarter of the memory of tuples on the chip. Columns:
code      what a person reads: blinks of the LED, first line of the display
severity  red stops, amber warns
open      0 the contactor may stay; 1 stop by the pilot, opened after 6 s at the latest; 2 at once
within_ms from cause to contactor command
pilot     while the fault holds: pwm; x1 (steady +12 V); f (state F for 300 ms, then +12 V, so that
          the car is seen to leave)
clears    W when the cause is gone; A after wait_s healthy seconds; T the same, but only so many
          tries and then U; U when the car has been unplugged; S at the next start, if the
          self-test passes; P after service
text, do  what the driver reads, and what to do
ocpp16, mrec (0 = vendor), ocpp2 (component.variable), everest, stop (OCPP 2.0.1 stoppedReason)

1-1 opens at the second look of 2.2 ms, not after 25 ms: the goal is 30 ms in all.
1-2 tells a missing diode from a car with -10.7 V (letters.py).
1-4 is the resistor of the cable's plug, on boards with a socket (cable.py).
6-1 is I > 1.10 x offer + 0.5 A for 7 s, 6 s after the offer fell. For 6-2 the upstream breaker
remains the short-circuit protection; the meter is fresh every 320 ms.
7-3 is looked for again at every start. 7-4 waits for the auxiliary contact 500 ms.
"""

from micropython import const

# Row numbers; the order is the order of importance: the first row that holds is shown.
WELDED = const(0)
PILOT_GENERATOR = const(1)
NO_CLOSE = const(2)
OVER_CURRENT = const(3)
PILOT_SHORT = const(4)
DIODE = const(5)
PILOT_NOISY = const(6)
PROXIMITY = const(7)
SOFT_OVER_CURRENT = const(8)
METER_LOST = const(9)
STORAGE = const(10)
COUNT = const(11)

CODE, NAME, SEVERITY, OPEN, WITHIN_MS, PILOT, CLEARS, WAIT_S, TRIES = range(9)
TEXT, DO, OCPP16, MREC, OCPP2, EVEREST, STOP = range(9, 16)

TABLE = """\
code|name|severity|open|within_ms|pilot|clears|wait_s|tries|text|do|ocpp16|mrec|ocpp2|everest|stop
7-3|contactor welded|red|2|300|f|S|0|0|Power switch stuck on|Do not touch plug. Switch off at fuse, \
call service|PowerSwitchFailure|17|PowerContactor.Problem|MREC17EVSEContactorFault|Other
7-2|pilot generator|red|2|3100|x1|S|0|0|Charger fault inside|Unplug, switch off and on. If it stays \
call service|InternalError|14|CPPWMController.Problem|MREC14PilotFault|Other
7-4|contactor does not close|red|2|600|x1|T|60|3|Power switch stays off|Wait. If it stays call \
service|PowerSwitchFailure|17|PowerContactor.Problem|MREC17EVSEContactorFault|Other
6-2|hard over-current|red|2|1400|f|U|0|0|Car took too much current|Unplug, then plug in \
again|OverCurrentFailure|4|OverCurrentProtection.Operated|MREC4OverCurrentFailure|OvercurrentFault
1-1|pilot short|red|2|30|x1|U|0|0|Cable or plug short circuit|Unplug, check plug for dirt or \
water|EVCommunicationError|14|CPPWMController.State|MREC14PilotFault|Other
1-2|car diode|red|2|30|f|U|0|0|Car signal not safe|Unplug, then plug in \
again|EVCommunicationError|14|CPPWMController.Problem|DiodeFault|Other
1-3|pilot out of range|red|2|1100|x1|T|60|3|Signal to car is unclear|Wait, or unplug and plug in \
again|EVCommunicationError|14|CPPWMController.DCVoltage|MREC14PilotFault|Other
1-4|cable coding|red|2|700|x1|U|0|0|Cable cannot be read|Unplug, then plug in again or try another \
cable|EVCommunicationError|23|Connector.Problem|MREC23ProximityFault|Other
6-1|soft over-current|red|1|7400|x1|T|60|3|Car takes more than offered|Wait for retry, or charge at \
lower current|OverCurrentFailure|4|OverCurrentProtection.Operated|MREC4OverCurrentFailure|\
OvercurrentFault
8-1|meter lost|amber|0|0|pwm|W|0|0|Energy meter silent|Charging slowly. Tell the \
operator|PowerMeterFailure|0|FiscalMetering.Problem|CommunicationFault|Other
8-3|storage failure|amber|0|0|pwm|W|0|0|Records not stored|Charging goes on. Tell the \
operator|InternalError|0|Controller.Problem|VendorWarning|Other
"""


def cell(row, column):
    """Text of one cell; row -1 is the header. Allocates: not for the tick."""
    at = 0
    for _ in range(row + 1):
        at = TABLE.index("\n", at) + 1
    return TABLE[at : TABLE.index("\n", at)].split("|")[column]


def code(row):
    """The code a person reads: "1-2"."""
    return cell(row, CODE)
