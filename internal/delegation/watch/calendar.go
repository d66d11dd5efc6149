package watch

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	ics "github.com/arran4/golang-ical"

	"partnerguard/internal/print"
)

// short is a name for a key that is long or says too much.
func short(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:16])
}

// Bounds of what a calendar takes over from others' names.
const (
	maxTitle = 200
	maxText  = 1000
)

// Calendar gives the ends among findings as a calendar by RFC 5545. Each end has one entry,
// whose UID is the same as long as it is the same relationship; equal findings give equal
// bytes. Names are bounded and cannot begin a line or a member of the file.
func Calendar(list []Finding, asOf time.Time) []byte {
	cal := ics.NewCalendar()
	cal.SetProductId("-//Partnerguard//Delegation//EN")
	cal.SetMethod(ics.MethodPublish)
	cal.SetCalscale("GREGORIAN")
	cal.SetXWRCalName("Ends of relationships with customers")
	for i := range list {
		x := &list[i]
		if x.Kind != Ending || x.At.IsZero() {
			continue
		}
		e := cal.AddEvent(short(x.ID) + "@partnerguard")
		e.SetDtStampTime(asOf)
		title := print.Clean("GDAP with "+x.CustomerName+" ends", maxTitle)
		if !x.Sure {
			title += " (not sure)"
		}
		e.SetSummary(title)
		e.SetDescription(print.Clean(x.RelationshipName+": "+x.What+". "+print.Sentence(x.Do), maxText))
		e.SetStartAt(x.At)
		e.SetTimeTransparency(ics.TransparencyTransparent) // nobody is busy by it
		e.AddCategory("gdap")
		for _, days := range []string{"-P60D", "-P30D", "-P14D", "-P7D", "-P1D"} {
			a := e.AddAlarm()
			a.SetAction(ics.ActionDisplay)
			a.SetProperty(ics.ComponentPropertyDescription, title)
			a.SetTrigger(days)
		}
	}
	return []byte(cal.Serialize(ics.WithNewLineWindows))
}
