package fraud

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"partnerguard/internal/lenient"
	"partnerguard/internal/problem"
)

// The bounds of what is kept of one alert. What is longer is cut, and what is more left out.
const (
	MaxAlert     = 256 << 10 // bytes of its JSON; a longer one is refused
	maxID        = 300
	maxWord      = 200
	maxText      = 4000
	maxResources = 200
	maxLog       = 500
	maxDetails   = 100
	maxDetail    = 4 << 10 // bytes of one value
)

// never is when Partner Center says "not yet" (contracts.md section 2.9).
const never = 9999

// logLine is an entry of activityLogs, in both spellings of its clock.
type logLine struct {
	From    lenient.String `json:"statusFrom"`
	To      lenient.String `json:"statusTo"`
	By      lenient.String `json:"updatedBy"`
	Updated lenient.Time   `json:"updatedDateTime"`
	At      lenient.Time   `json:"dateTime"`
}

// affected is an entry of affectedResources, in both spellings.
type affected struct {
	ID    lenient.String `json:"resourceId"`
	Azure lenient.String `json:"azureResourceId"`
	Kind  lenient.String `json:"resourceType"`
	Type  lenient.String `json:"type"`
}

// shared is what both interfaces say in the same words.
type shared struct {
	DisplayName  lenient.String         `json:"displayName"`
	Description  lenient.String         `json:"description"`
	Severity     lenient.String         `json:"severity"`
	Confidence   lenient.String         `json:"confidenceLevel"`
	Reason       lenient.String         `json:"resolvedReason"`
	ResolvedBy   lenient.String         `json:"resolvedBy"`
	Customer     lenient.String         `json:"customerTenantId"`
	Subscription lenient.String         `json:"subscriptionId"`
	Reseller     lenient.String         `json:"valueAddedResellerTenantId"`
	Test         lenient.Bool           `json:"isTest"`
	Affected     lenient.List[affected] `json:"affectedResources"`
	Log          lenient.List[logLine]  `json:"activityLogs"`
	Details      json.RawMessage        `json:"additionalDetails"`
}

// graphAlert is microsoft.graph.partner.security.partnerSecurityAlert (contracts.md 3.13).
type graphAlert struct {
	shared
	ID       lenient.String `json:"id"`
	Type     lenient.String `json:"alertType"`
	Status   lenient.String `json:"status"`
	Resolved lenient.Time   `json:"resolvedOnDateTime"`
	Detected lenient.Time   `json:"detectedDateTime"`
	First    lenient.Time   `json:"firstObservedDateTime"`
	Last     lenient.Time   `json:"lastObservedDateTime"`
}

// centerEvent is both models of Partner Center's fraud events (contracts.md 2.9).
type centerEvent struct {
	shared
	ID         lenient.String `json:"eventId"`
	Type       lenient.String `json:"eventType"`
	Status     lenient.String `json:"eventStatus"`
	Time       lenient.Time   `json:"eventTime"`
	Name       lenient.String `json:"customerFriendlyName"`
	EntityName lenient.String `json:"entityName"`
	EntityURL  lenient.String `json:"entityUrl"`
	Resolved   lenient.Time   `json:"resolvedOn"`
	First      lenient.Time   `json:"firstObserved"`
	Last       lenient.Time   `json:"lastObserved"`
	FirstHit   lenient.Time   `json:"firstOccurrence"`
	LastHit    lenient.Time   `json:"lastOccurrence"`
}

// Read reads an alert of either interface, by what it is named by. Kind problem.BadInput for
// what is none, or without an id; problem.Limit for one that is too long.
func Read(raw []byte) (Alert, error) {
	var id struct {
		Graph  lenient.String `json:"alertType"`
		Event  lenient.String `json:"eventId"`
		Status lenient.String `json:"eventStatus"`
	}
	if err := whole(raw, &id); err != nil {
		return Alert{}, err
	}
	if id.Event != "" || id.Status != "" && id.Graph == "" {
		return ReadCenter(raw)
	}
	return ReadGraph(raw)
}

// whole decodes one object.
func whole(raw []byte, into any) error {
	raw = bytes.TrimSpace(raw)
	if len(raw) > MaxAlert {
		return problem.New(problem.Limit, "an alert is longer than %d KiB", MaxAlert>>10)
	}
	if len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, into) != nil {
		return problem.New(problem.BadInput, "an alert cannot be read: it is no JSON object of the form that Microsoft documents")
	}
	return nil
}

// ReadGraph reads a partner security alert of Graph.
func ReadGraph(raw []byte) (Alert, error) {
	var in graphAlert
	if err := whole(raw, &in); err != nil {
		return Alert{}, err
	}
	a := in.alert()
	a.GraphID, a.From = word(in.ID, maxID), []string{Graph}
	if a.GraphID == "" {
		return Alert{}, problem.New(problem.BadInput, "an alert of Microsoft Graph has no id")
	}
	a.Type, a.Status = word(in.Type, maxWord), Status(strings.ToLower(word(in.Status, maxWord)))
	a.Detected, a.First, a.Last = moment(in.Detected), moment(in.First), moment(in.Last)
	if a.Detected.IsZero() && in.Detected.Raw == "" {
		a.Detected = a.First
	}
	a.settle(moment(in.Resolved))
	return a, nil
}

// ReadCenter reads a fraud event of Partner Center, of the old model or the new.
func ReadCenter(raw []byte) (Alert, error) {
	var in centerEvent
	if err := whole(raw, &in); err != nil {
		return Alert{}, err
	}
	a := in.alert()
	a.EventID, a.From = word(in.ID, maxID), []string{Center}
	if a.EventID == "" {
		return Alert{}, problem.New(problem.BadInput, "a fraud event of Partner Center has no eventId")
	}
	a.Type, a.Status = word(in.Type, maxWord), Status(strings.ToLower(word(in.Status, maxWord)))
	a.CustomerName = word(in.Name, maxWord)
	a.Name = cmp.Or(a.Name, word(in.EntityName, maxWord))
	a.First = cmp.Or(moment(in.First), moment(in.FirstHit))
	a.Last = cmp.Or(moment(in.Last), moment(in.LastHit))
	a.Detected = moment(in.Time)
	if a.Detected.IsZero() && in.Time.Raw == "" {
		a.Detected = a.First
	}
	if len(a.Resources) == 0 && in.EntityURL != "" {
		a.Resources = []Resource{{ID: word(in.EntityURL, 2*maxID)}}
	}
	a.settle(moment(in.Resolved))
	return a, nil
}

// alert is what is read the same way of both.
func (s *shared) alert() Alert {
	a := Alert{Name: word(s.DisplayName, maxWord), Description: word(s.Description, maxText), Severity: strings.ToLower(word(s.Severity, maxWord)),
		Confidence: strings.ToLower(word(s.Confidence, maxWord)), Reason: Reason(strings.ToLower(word(s.Reason, maxWord))),
		ResolvedBy: word(s.ResolvedBy, maxWord), Customer: strings.ToLower(word(s.Customer, maxWord)),
		Subscription: strings.ToLower(word(s.Subscription, maxWord)), Reseller: strings.ToLower(word(s.Reseller, maxWord)), Test: s.Test.True()}
	if a.Reason == "none" || a.Reason == "null" {
		a.Reason = ""
	}
	for _, r := range s.Affected.Items[:min(len(s.Affected.Items), maxResources)] {
		x := Resource{ID: word(cmp.Or(r.ID, r.Azure), 2*maxID), Type: word(cmp.Or(r.Kind, r.Type), maxWord)}
		if x.ID != "" || x.Type != "" {
			a.Resources = append(a.Resources, x)
		}
	}
	for _, l := range s.Log.Items[:min(len(s.Log.Items), maxLog)] {
		at := moment(l.Updated)
		if at.IsZero() {
			at = moment(l.At)
		}
		a.Log = append(a.Log, Change{From: strings.ToLower(word(l.From, maxWord)), To: strings.ToLower(word(l.To, maxWord)), By: word(l.By, maxWord), At: at})
	}
	slices.SortStableFunc(a.Log, func(x, y Change) int { return x.At.Compare(y.At) })
	a.Details = details(s.Details)
	return a
}

// details are the members of additionalDetails, which is an open bag.
func details(raw json.RawMessage) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	lenient.Members(raw, func(name string, value json.RawMessage) {
		if len(out) < maxDetails && len(name) <= maxWord && len(value) <= maxDetail && !strings.HasPrefix(name, "@odata") && json.Valid(value) {
			out[name] = slices.Clone(value)
		}
	})
	if len(out) == 0 {
		return nil
	}
	return out
}

// settle fills in what follows from the rest.
func (a *Alert) settle(resolved time.Time) {
	a.Kind = KindOf(a.Type)
	if a.Status == Resolved {
		a.ResolvedAt = resolved
	} else {
		a.Reason, a.ResolvedBy = "", "" // unresolved ones carry the year 9999 and "None"
	}
	a.Answered = time.Time{}
	if !a.Untouched() {
		for _, l := range a.Log {
			switch {
			case l.At.IsZero():
			case l.To != string(Active) && l.To != "" && a.Answered.IsZero():
				a.Answered = l.At
			}
			if l.To == string(Resolved) && a.Status == Resolved && resolved.IsZero() && l.At.After(a.ResolvedAt) {
				a.ResolvedAt = l.At
			}
		}
		if a.Answered.IsZero() {
			a.Answered = a.ResolvedAt
		}
	}
	a.Changed = a.Detected
	for _, t := range []time.Time{a.First, a.Last, a.ResolvedAt} {
		if t.After(a.Changed) {
			a.Changed = t
		}
	}
	for _, l := range a.Log {
		if l.At.After(a.Changed) {
			a.Changed = l.At
		}
	}
}

// moment is a time that was said, in UTC; zero for none, and for "not yet".
func moment(t lenient.Time) time.Time {
	if !t.Set || t.Year() >= never {
		return time.Time{}
	}
	return t.UTC()
}

// word is a text within its bound, whole characters.
func word(s lenient.String, most int) string {
	t := strings.TrimSpace(strings.ToValidUTF8(string(s), "\uFFFD"))
	if len(t) <= most {
		return t
	}
	for most > 0 && !utf8.RuneStart(t[most]) {
		most--
	}
	return t[:most]
}

// ReadList reads a list of alerts as either interface answers, or an export wrote it: a bare
// array, a page {"value":[…]} or {"items":[…]}, one object, or JSON lines. lost counts what
// could not be read. Kind problem.BadInput for what is nothing of that.
func ReadList(raw []byte) (list []Alert, lost int, err error) {
	raw = bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")))
	items, err := itemsOf(raw)
	if err != nil {
		return nil, 0, err
	}
	for _, item := range items {
		a, err := Read(item)
		if err != nil {
			lost++
			continue
		}
		list = append(list, a)
	}
	return list, lost, nil
}

func itemsOf(raw []byte) (items []json.RawMessage, err error) {
	none := problem.New(problem.BadInput, "these are no alerts: neither a list of partner security alerts nor of fraud events")
	if len(raw) == 0 {
		return nil, none
	}
	if raw[0] == '[' {
		if json.Unmarshal(raw, &items) != nil {
			return nil, none
		}
		return items, nil
	}
	for d, n := json.NewDecoder(bytes.NewReader(raw)), 0; ; n++ {
		var one json.RawMessage
		if err := d.Decode(&one); err != nil {
			if n > 0 && len(bytes.TrimSpace(raw[d.InputOffset():])) == 0 {
				return items, nil
			}
			return nil, none
		}
		var page struct {
			Value *[]json.RawMessage `json:"value"`
			Items *[]json.RawMessage `json:"items"`
		}
		switch {
		case json.Unmarshal(one, &page) != nil:
			items = append(items, one)
		case page.Value != nil:
			items = append(items, *page.Value...)
		case page.Items != nil:
			items = append(items, *page.Items...)
		default:
			items = append(items, one)
		}
	}
}
