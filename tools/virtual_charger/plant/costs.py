"""What one operation takes on the chip, in virtual microseconds.

Source: emulator counts of the stock v1.24 image, the 240 MHz column is half the 160 MHz one (a guess);
`adc` is the figure reported for real silicon. Wire times are exact.
"""

MHZ_240 = {
    "adc": 35,  # one oneshot read, interrupts off meanwhile
    "ticks": 4,
    "pin": 4,
    "pwm": 10,
    "rtc": 20,
    "spi_call": 100,  # chip select, call and transfer set-up of one frame, beside its bits
    "i2c_call": 60,
    "bitstream": 60,  # one WS2812 pixel and the call
    "poll": 340,  # select.poll on one socket
    "socket": 900,  # a packet in or out: a whole link step is 3.5 ms in the mean
    "connect": 2200,  # longest step seen while a TCP connection is made
    "import": 12000,  # a .mpy of 3 KB read while the loop runs; a guess, nobody has measured it
    "gc_base": 410,
    "gc_per_kb": 75,  # 4.9 ms for 60 KB of small live objects
    "heap_per_kb": 4,  # gc.mem_free() looks at 64 blocks of 16 bytes a KB; about 15 cycles each, a guess
    "print": 300,  # of a line, beside what it waits for the UART; a guess
    "python_tick": 3400,  # the loop's bytecode: 1.5 x 1,000 turns of a 2.24 us loop
    "python_act": 2200,  # of which until the contactor is written; 1.0 x 1,000 turns is its p99
    # Only benches charge these (rig/).
    "payload_byte": 11,  # making a message: `state`, 400 bytes, is 2,000 turns of that loop
    "tls_record": 900,  # a packet in or out: with TLS a link step is 5.2 ms in the mean, two packets
    "tls_hello": 5000,  # a guess, as is the last step
    "tls_rsa": 38000,  # the long step of a handshake: static RSA, which the firmware tries first
    "tls_ec": 318000,  # any suite, certificate with an elliptic curve
    "tls_finish": 5000,
}

MHZ_160 = {name: us if name == "adc" else 2 * us for name, us in MHZ_240.items()}
