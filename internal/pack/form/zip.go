package form

import (
	"encoding/binary"
	"strings"

	"partnerguard/internal/pattern"
)

// A pack is a ZIP (APPNOTE 6.3.10) that is written one way only: entries are stored one
// behind the other from the first byte on, with the same moment, no flags, no extra
// fields, no comments, and the directory behind them. So names, sizes and sums determine
// every byte that is not an entry's content, and a reader compares instead of believing.

// Limits of a pack.
const (
	MaxEntries = 1 << 20
	MaxEntry   = 1<<31 - 1 // bytes of an entry
	MaxName    = 200
	MaxSize    = 1 << 40
)

const (
	localSig, centralSig, endSig = 0x04034b50, 0x02014b50, 0x06054b50
	end64Sig, locateSig          = 0x06064b50, 0x07064b50
	localSize, centralSize       = 30, 46
	endSize, end64Size           = 22, 56
	locateSize                   = 20
	version, version64           = 20, 45
	dosDate                      = 1<<5 | 1 // 1980-01-01
	max32, max16                 = 1<<32 - 1, 1<<16 - 1
)

// item is an entry as the directory has it.
type item struct {
	name string
	crc  uint32
	size int64
	at   int64 // of its header
}

// appendLocal appends the header before an entry's content.
func (i *item) appendLocal(b []byte) []byte {
	le := binary.LittleEndian
	b = le.AppendUint32(b, localSig)
	b = le.AppendUint16(b, version)
	b = le.AppendUint32(b, 0) // no flags, stored
	b = le.AppendUint16(b, 0)
	b = le.AppendUint16(b, dosDate)
	b = le.AppendUint32(b, i.crc)
	b = le.AppendUint32(b, uint32(i.size)) //nolint:gosec // at most MaxEntry
	b = le.AppendUint32(b, uint32(i.size)) //nolint:gosec // at most MaxEntry
	b = le.AppendUint16(b, uint16(len(i.name)))
	b = le.AppendUint16(b, 0)
	return append(b, i.name...)
}

// appendCentral appends its record of the directory.
func (i *item) appendCentral(b []byte) []byte {
	le := binary.LittleEndian
	far := i.at >= max32
	need, at, extra := uint16(version), uint32(i.at), uint16(0) //nolint:gosec // else far
	if far {
		need, at, extra = version64, max32, 12
	}
	b = le.AppendUint32(b, centralSig)
	b = le.AppendUint16(b, need)
	b = le.AppendUint16(b, need)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint16(b, 0)
	b = le.AppendUint16(b, dosDate)
	b = le.AppendUint32(b, i.crc)
	b = le.AppendUint32(b, uint32(i.size)) //nolint:gosec // at most MaxEntry
	b = le.AppendUint32(b, uint32(i.size)) //nolint:gosec // at most MaxEntry
	b = le.AppendUint16(b, uint16(len(i.name)))
	b = le.AppendUint16(b, extra)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) // no comment, disk 0, no attributes
	b = le.AppendUint32(b, at)
	b = append(b, i.name...)
	if far {
		b = le.AppendUint16(b, 1)
		b = le.AppendUint16(b, 8)
		b = le.AppendUint64(b, uint64(i.at)) //nolint:gosec // not negative
	}
	return b
}

// appendEnd appends what ends the file: so many entries, whose directory lies at and has
// size bytes.
func appendEnd(b []byte, entries, at, size int64) []byte {
	le := binary.LittleEndian
	n, s, a := uint16(entries), uint32(size), uint32(at) //nolint:gosec // else far
	if entries >= max16 || size >= max32 || at >= max32 {
		n, s, a = max16, max32, max32
		b = le.AppendUint32(b, end64Sig)
		b = le.AppendUint64(b, end64Size-12)
		b = le.AppendUint16(b, version64)
		b = le.AppendUint16(b, version64)
		b = le.AppendUint64(b, 0)
		for _, v := range []int64{entries, entries, size, at} {
			b = le.AppendUint64(b, uint64(v)) //nolint:gosec // not negative
		}
		b = le.AppendUint32(b, locateSig)
		b = le.AppendUint32(b, 0)
		b = le.AppendUint64(b, uint64(at+size)) //nolint:gosec // not negative
		b = le.AppendUint32(b, 1)
	}
	b = le.AppendUint32(b, endSig)
	b = le.AppendUint32(b, 0)
	b = le.AppendUint16(b, n)
	b = le.AppendUint16(b, n)
	b = le.AppendUint32(b, s)
	b = le.AppendUint32(b, a)
	return le.AppendUint16(b, 0)
}

var nameForm = pattern.Later(`^[0-9A-Za-z][0-9A-Za-z._-]*(?:/[0-9A-Za-z][0-9A-Za-z._-]*)*$`)

// IsName says that a text may name an entry: parts of letters, digits, point, hyphen and
// low line that begin with a letter or a digit. So nothing leads out of a folder.
func IsName(s string) bool { return len(s) <= MaxName && nameForm.MatchString(s) }

// folded is a name as file systems that do not tell case apart have it.
func folded(s string) string { return strings.ToLower(s) }
