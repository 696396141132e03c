// Reads a printer's bytes with programs that are not ours: npos takes them apart and draws the pictures, iconv-lite reads
// the text. Writes what it found, a line each, and every picture as PBM into a folder:
//
//     node judge.js BYTES FOLDER '{"19":"cp858"}'
//
// The last argument names the pages by their number for ESC t. Rules that npos lacks: the length of GS ( k, which stands
// in its two bytes as in every other GS ( of npos.

const fs = require('fs')
const path = require('path')
const iconv = require('iconv-lite')
const npos = require('npos')

const [file, folder, names] = process.argv.slice(2)
const pages = JSON.parse(names)
const raw = fs.readFileSync(file)
const { GS } = npos.symbols
const rules = { ...npos.rules, [GS]: { ...npos.rules[GS], '(k': [0, 'd16'] } }

// The white paper around a picture in the middle.
const MARGIN = 40

const picture = (bitmap, at) => {
  const rows = []
  const margin = Array(MARGIN).fill(0)
  for (let y = 0; y < bitmap.height; y++) {
    const row = []
    for (let x = 0; x < bitmap.width; x++) row.push(bitmap.getPixel(x, y) === 0 ? 1 : 0)
    rows.push([...margin, ...row, ...margin].join(' '))
  }
  const width = bitmap.width + 2 * MARGIN
  const blank = Array(MARGIN).fill(Array(width).fill(0).join(' '))
  rows.unshift(...blank)
  rows.push(...blank)
  const size = `${width} ${rows.length}`
  fs.writeFileSync(path.join(folder, `${at}.pbm`), `P1\n${size}\n${rows.join('\n')}\n`)
  console.log(`picture ${bitmap.width}x${bitmap.height}`)
}

npos.parser(rules).parse(raw).then((paper) => {
  let page = 'cp437'
  let wide = false
  let pictures = 0
  const raster = paper.entries.filter((entry) => entry.type === 'raster')
  for (const node of paper.tree) {
    // npos moves the start of a picture it drew to its dots.
    const bytes = raw.subarray(node.offset, node.offset + node.length)
    const command = `${node.ascii} ${node.fn}`.trim()
    const drawn = raster.find((entry) => entry.nodes[0] === node)
    if (drawn) picture(drawn.data, pictures++)
    else if (command === 'GS v0') continue
    else if (command === 'ESC t') page = pages[bytes[2]]
    else if (command === 'FS &' || command === 'FS .') wide = command === 'FS &'
    else if (command === 'STX') {
      for (const row of iconv.decode(bytes, wide ? 'shift_jis' : page).split('\n')) if (row) console.log(`text ${row}`)
    } else if (command === 'GS (k' && bytes[6] === 80) console.log(`qr ${bytes.subarray(8).toString('latin1')}`)
    else if (command === 'GS k') console.log(`bars ${JSON.stringify(bytes.subarray(3).toString('latin1'))}`)
    else if (/^(GS V|ESC p|ESC i)$/.test(command)) console.log(`${command} ${bytes.subarray(2).toString('hex')}`)
  }
}).catch((error) => {
  console.error(error.message)
  process.exit(1)
})
