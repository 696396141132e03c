// How many bytes node-thermal-printer makes of the slip of render_speed.rs: the same rows, styles, native QR code and cut.
// Needs `npm install node-thermal-printer`.

const { printer: ThermalPrinter, types, characterSet } = require('node-thermal-printer')

const printer = new ThermalPrinter({ type: types.EPSON, width: 48, interface: 'tcp://127.0.0.1:9', characterSet: characterSet.PC858_EURO })
for (let number = 0; number < 40; number++) {
  const two = String(number).padStart(2, '0')
  if (number % 5 === 0) {
    printer.alignCenter()
    printer.bold(true)
  } else if (number % 5 === 1) {
    printer.alignLeft()
    printer.bold(false)
  }
  printer.println(
    number % 4 === 0
      ? `${two} Größe für Dich: 50,00 € und Grüße`
      : `${two} The quick brown fox jumps over it 1234.56`
  )
}
printer.alignCenter()
printer.printQR('https://example.com/r/6006491234567890', { cellSize: 6, correction: 'M', model: 2 })
printer.cut()
console.log(`node-thermal-printer: ${printer.getBuffer().length} bytes`)
