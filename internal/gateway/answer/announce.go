package answer

import (
	"strconv"
	"time"

	"partnerguard/internal/gateway"
)

// The headers by which a route tells its callers what holds and what comes.
const (
	HeaderMode     = "Partnerguard-Mode"          // report, "ramp 20%", enforce
	HeaderEnforced = "Partnerguard-Enforced-From" // RFC 3339; from then on everybody is refused
	HeaderRamp     = "Partnerguard-Ramp-From"     // RFC 3339; from then on some callers are
	HeaderWould    = "Partnerguard-Would-Refuse"  // the reason's word
	HeaderExcused  = "Partnerguard-Excused-Until" // RFC 3339; an exception lets this caller pass
)

// Announce gives the headers that tell a caller, and nobody else, what will be asked of
// it: nothing where a route asks for nothing or where all holds already and all is well.
func Announce(d gateway.Decision) [][2]string {
	if d.Route == nil || d.Phase.Mode == gateway.Off && d.Next == nil {
		return nil
	}
	var out [][2]string
	if d.Phase.Mode != gateway.Enforce {
		out = append(out, [2]string{HeaderMode, PhaseWords(d.Phase)})
		out = append(out, coming(d.Route, d.Next)...)
	}
	if d.Reason != gateway.Passed && !d.Refused {
		if d.Excused != nil {
			out = append(out, [2]string{HeaderExcused, stamp(d.Excused.Until)})
		}
		out = append(out, [2]string{HeaderWould, d.Reason.String()})
	}
	return out
}

// coming tells the first ramp and the enforcement that are ahead.
func coming(route *gateway.Route, next *gateway.Phase) (out [][2]string) {
	if next == nil {
		return nil
	}
	ramp := false
	for i := range route.Phases {
		switch p := &route.Phases[i]; {
		case p.From.Before(next.From):
		case p.Mode == gateway.Ramp && !ramp:
			ramp = true
			out = append(out, [2]string{HeaderRamp, stamp(p.From)})
		case p.Mode == gateway.Enforce:
			return append(out, [2]string{HeaderEnforced, stamp(p.From)})
		}
	}
	return out
}

// PhaseWords says a phase as the file does: "report", "ramp 20%".
func PhaseWords(p gateway.Phase) string {
	if p.Mode == gateway.Ramp {
		return p.Mode.String() + " " + strconv.Itoa(p.Share) + "%"
	}
	return p.Mode.String()
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
