package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"partnerguard/internal/gateway"
	"partnerguard/internal/print"
)

// maxTimes is how many requests a line may stand for.
const maxTimes = 1_000_000_000_000

// readLine reads one decision.
func readLine(raw []byte) (Sum, error) {
	var l Line
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&l); err != nil {
		return Sum{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Sum{}, errors.New("something stands behind the object")
	}
	if l.Times == 0 {
		l.Times = 1
	}
	_, known := gateway.ReasonOf(l.Reason)
	switch {
	case l.At.IsZero() || l.At.Year() < 2000 || l.At.Year() > 9000:
		return Sum{}, errors.New("at is no moment")
	case !known:
		return Sum{}, fmt.Errorf("the reason %.40q is none", l.Reason)
	case !slices.Contains([]string{"off", "report", "ramp", "enforce"}, l.Mode):
		return Sum{}, fmt.Errorf("the mode %.40q is none", l.Mode)
	case !slices.Contains(kindWords[:], l.Kind):
		return Sum{}, fmt.Errorf("the kind %.40q is none", l.Kind)
	case l.Times < 0 || l.Times > maxTimes:
		return Sum{}, errors.New("times is no count")
	case l.Refused && l.Reason == gateway.Passed.String():
		return Sum{}, errors.New("what is well is not refused")
	}
	at := l.At.UTC()
	id := func(s string) string { return strings.ToLower(print.Clean(s, longID)) }
	return Sum{Hour: hourOf(at), Route: print.Clean(l.Route, longID), Reason: l.Reason, Mode: l.Mode, Refused: l.Refused, Kind: l.Kind, Tenant: id(l.Tenant),
		Caller: id(l.Caller), Account: print.Clean(l.Account, longName), Client: id(l.Client), Agent: print.Clean(l.Agent, 20), Way: print.Clean(l.Way, 20),
		Excused: print.Clean(l.Excused, longName), N: l.Times, First: at, Last: at}, nil
}
