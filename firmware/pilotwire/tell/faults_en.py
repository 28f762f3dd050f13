"""What the driver reads of each fault, and what to do, in English. Another language: another such file.

Plain ASCII, short, no blame. Used when it is needed, and let go (pilotwire.once). The order is that
of the codes. Together they fill six lines of 16 columns, five where the fault counts down.
"""

TABLE = """\
1-1|Cable or plug short circuit|Unplug, check plug for dirt or water
1-2|Car signal not safe|Unplug, then plug in again
1-3|Signal to car is unclear|Wait, or unplug and plug in again
1-4|Cable cannot be read|Unplug, then plug in again or try another cable
1-5|Car needs a ventilated place|Charge it somewhere else
1-6|Plug is not locked|Push plug in and wait, or plug in again
2-1|Leakage current|Unplug. Have car and cable checked
2-2|DC leakage current|Unplug. Have car and cable checked
3-1|Earth wire is missing|Call an electrician
3-2|Supply earth not safe|Do not touch. Call an electrician
4-1|Charger is warm|Charging more slowly
4-2|Charger too hot|Wait, it goes on when cooler
4-3|Heat sensor lost|Charging slowly. Tell the operator
5-1|Mains voltage too high|Wait, it goes on by itself
5-2|Mains voltage too low|Wait, it goes on by itself
5-3|A mains phase is missing|Wait. If it stays check the fuses
6-1|Car takes more than offered|Wait for retry, or charge at lower current
6-2|Car took too much current|Unplug, then plug in again
6-3|Car did not stop when asked|Unplug, then plug in again
7-1|Leakage test failed|Switch off and on. If it stays call service
7-2|Charger fault inside|Unplug, switch off and on. If it stays call service
7-3|Power switch stuck on|Do not touch plug. Switch off at fuse, call service
7-4|Power switch stays off|Wait. If it stays call service
7-5|Charger restarted itself|Wait. If it comes back call service
7-6|Settings missing or wrong|Call the operator
7-7|Software is damaged|Call service
8-1|Energy meter silent|Charging slowly. Tell the operator
8-2|Energy meter is wrong|Unplug. Tell the operator
8-3|Records not stored|Charging goes on. Tell the operator
8-4|Lid is open|Charging goes on. Tell the operator
"""


def words(code):
    """(what is wrong, what to do) for a code, "1-2"."""
    at = TABLE.index(code + "|")
    return TABLE[at : TABLE.index("\n", at)].split("|")[1:]
