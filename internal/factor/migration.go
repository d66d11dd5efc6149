package factor

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"partnerguard/internal/secret"
)

func itoa(n int) string { return strconv.Itoa(n) }

// ReadMigration reads the otpauth-migration address that Google Authenticator shows
// as a QR picture when accounts are moved: a protobuf of all of them, in parts when
// they are many.
func ReadMigration(address secret.Text) (Payload, error) {
	text := strings.TrimSpace(address.Reveal())
	if len(text) > 64<<10 {
		return Payload{}, bad("the otpauth-migration address is longer than 64 KiB")
	}
	rest, ok := cutPrefixFold(text, "otpauth-migration://offline?")
	if !ok {
		return Payload{}, bad("this is no otpauth-migration:// address")
	}
	q, err := url.ParseQuery(rest)
	if err != nil || len(q["data"]) != 1 {
		return Payload{}, bad("the otpauth-migration address has no data, or more than one")
	}
	// A plus that nobody encoded has become a space.
	data := strings.TrimRight(strings.NewReplacer(" ", "+", "-", "+", "_", "/").Replace(q.Get("data")), "=")
	raw, err := base64.RawStdEncoding.DecodeString(data)
	if err != nil {
		return Payload{}, bad("the data of the otpauth-migration address is not base64")
	}
	p := Payload{Format: "Google Authenticator"}
	var index uint64
	err = fields(raw, func(f protowire.Number, n uint64, b []byte) error {
		switch f {
		case 1:
			called, e, err := parameters(b)
			return p.add(called, e, err)
		case 3:
			p.Parts = int(min(n, 1000))
		case 4:
			index = min(n, 1000)
		}
		return nil
	})
	if p.Parts > 0 {
		p.Part = int(index) + 1
	}
	return p, err
}

// fields calls f for each field of a message: n for varints, b for bytes.
func fields(raw []byte, f func(num protowire.Number, n uint64, b []byte) error) error {
	broken := bad("the data of the otpauth-migration address is cut off or damaged")
	for len(raw) > 0 {
		num, typ, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return broken
		}
		raw = raw[n:]
		var v uint64
		var b []byte
		switch typ {
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(raw)
		case protowire.BytesType:
			b, n = protowire.ConsumeBytes(raw)
		default:
			n = protowire.ConsumeFieldValue(num, typ, raw)
		}
		if n < 0 {
			return broken
		}
		raw = raw[n:]
		if err := f(num, v, b); err != nil {
			return err
		}
	}
	return nil
}

// parameters reads one account: 1 secret, 2 name, 3 issuer, 4 algorithm, 5 digits,
// 6 type, 7 counter. What is not said is what that application does: SHA1, 6, TOTP.
func parameters(raw []byte) (called string, e Entry, err error) {
	var key []byte
	var path, issuer string
	num := map[protowire.Number]uint64{}
	err = fields(raw, func(f protowire.Number, n uint64, b []byte) error {
		switch f {
		case 1:
			key = b
		case 2:
			path = string(b)
		case 3:
			issuer = string(b)
		default:
			num[f] = n
		}
		return nil
	})
	if err != nil {
		return path, e, err
	}
	if e.Issuer, e.Account, err = label(path, issuer); err != nil {
		return path, e, err
	}
	algorithms, digits := []Algorithm{SHA1, SHA1, SHA256, SHA512}, []int{6, 6, 8}
	if num[4] >= uint64(len(algorithms)) {
		return path, e, bad("the algorithm is none of SHA1, SHA256 and SHA512")
	}
	if num[5] >= uint64(len(digits)) || num[6] > 2 {
		return path, e, bad("the number of digits or the type is none that is known")
	}
	e.Seed = Seed{Algorithm: algorithms[num[4]], Digits: digits[num[5]], Period: UsualPeriod}
	if e.Counted = num[6] == 1; e.Counted {
		if e.Counter = int64(num[7]); e.Counter < 0 {
			return path, e, bad("the counter is no number from 0 on")
		}
	}
	if e.Seed.Secret, err = readBytes(key); err != nil {
		return path, e, err
	}
	return path, e, e.Seed.Check()
}
