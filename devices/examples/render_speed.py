"""How many slips of 40 rows with a QR code python-escpos turns into ESC/POS bytes in a second.

The counterpart of render_speed.rs: the same rows, styles, native QR code and cut, into python-escpos's Dummy printer.
Needs `pip install python-escpos`, in a virtual environment.
"""

import time

from escpos.printer import Dummy

RUN = 3.0


def receipt(printer):
    for number in range(40):
        if number % 4 == 0:
            text = f"{number:02} Größe für Dich: 50,00 € und Grüße"
        else:
            text = f"{number:02} The quick brown fox jumps over it 1234.56"
        if number % 5 == 0:
            printer.set(align="center", bold=True)
        elif number % 5 == 1:
            printer.set(align="left", bold=False)
        printer.textln(text)
    printer.qr("https://example.com/r/6006491234567890", native=True, size=6)
    printer.cut()


def main():
    # One printer for all slips, emptied after each: no more is asked of it than of the other.
    printer = Dummy(profile="TM-T88V")
    receipt(printer)
    size = len(printer.output)
    printer.clear()
    slips = 0
    start = time.perf_counter()
    while time.perf_counter() - start < RUN:
        for _ in range(10):
            receipt(printer)
            printer.clear()
        slips += 10
    print(f"python-escpos: {slips / (time.perf_counter() - start):.0f} receipts/s of {size} bytes")


if __name__ == "__main__":
    main()
