package use

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/lenient"
	"partnerguard/internal/print"
)

// Limits of a row, against what is hostile.
const (
	maxRow        = 1 << 20 // bytes
	maxText       = 200     // characters of an activity, a category
	maxProperties = 40      // names of modified properties
	maxPropName   = 80      // characters of one
	maxTargets    = 100
)

var (
	errTooLong = errors.New("the row has more than 1 MiB")
	errNoRow   = errors.New("not a JSON object of its kind")
	errNoTime  = errors.New("the row does not say when it was")
	errNoActor = errors.New("the row does not say who did it: its export cut that off")
	errNoAct   = errors.New("the row does not say what was done")
)

// auditRow is Graph's directoryAudit, and what Log Analytics, diagnostic settings and
// PowerShell make of it: names compare without case, and members may be JSON in a text.
type auditRow struct {
	ID        lenient.String       `json:"id"`
	At        lenient.Time         `json:"activityDateTime"`
	Logged    lenient.Time         `json:"timeGenerated"`
	Time      lenient.Time         `json:"time"`
	Activity  lenient.String       `json:"activityDisplayName"`
	Operation lenient.String       `json:"operationName"`
	Category  lenient.String       `json:"category"`
	Result    lenient.String       `json:"result"`
	By        json.RawMessage      `json:"initiatedBy"`
	Targets   lenient.List[target] `json:"targetResources"`
	Inner     json.RawMessage      `json:"properties"`
	initiator initiator            // By, read
}

type initiator struct {
	User lenient.List[struct {
		UPN lenient.String `json:"userPrincipalName"`
	}] `json:"user"`
	App lenient.List[struct {
		AppID lenient.String `json:"appId"`
	}] `json:"app"`
}

type target struct {
	ID       lenient.String         `json:"id"`
	UPN      lenient.String         `json:"userPrincipalName"`
	Name     lenient.String         `json:"displayName"`
	Type     lenient.String         `json:"type"`
	Modified lenient.List[modified] `json:"modifiedProperties"`
}

type modified struct {
	Name lenient.String `json:"displayName"`
	Old  lenient.String `json:"oldValue"`
	New  lenient.String `json:"newValue"`
}

// portalRow is a line of the file that the portal downloads.
type portalRow struct {
	At         lenient.Time   `json:"Date (UTC)"`
	Activity   lenient.String `json:"Activity"`
	UPN        lenient.String `json:"ActorUserPrincipalName"`
	TargetID   lenient.String `json:"Target1ObjectId"`
	TargetUPN  lenient.String `json:"Target1UserPrincipalName"`
	TargetType lenient.String `json:"Target1Type"`
}

// portal fills in what such a line says.
func (r *auditRow) portal(raw []byte) {
	var p portalRow
	if decode(raw, &p) != nil || p.Activity == "" {
		return
	}
	r.At, r.Activity = p.At, p.Activity
	r.Targets.Items = []target{{ID: p.TargetID, UPN: p.TargetUPN, Type: p.TargetType}}
	r.initiator.User.Items = append(r.initiator.User.Items, struct {
		UPN lenient.String `json:"userPrincipalName"`
	}{p.UPN})
}

// decode reads one object. A member of an unusable type reads as absent.
func decode(raw []byte, into any) error {
	if len(raw) > maxRow {
		return errTooLong
	}
	err := json.Unmarshal(raw, into)
	if _, wrong := errors.AsType[*json.UnmarshalTypeError](err); err != nil && !wrong {
		return errNoRow
	}
	return nil
}

// parseAudit reads a row of the directory's audit log.
func parseAudit(raw []byte) (*auditRow, error) {
	r := new(auditRow)
	if err := decode(raw, r); err != nil {
		return nil, err
	}
	if len(r.Inner) > 0 && r.Inner[0] == '{' && r.Activity == "" && len(r.By) == 0 { // a diagnostic setting's envelope
		inner := new(auditRow)
		if err := decode(r.Inner, inner); err != nil {
			return nil, err
		}
		inner.Operation, inner.Time = r.Operation, r.Time
		r = inner
	}
	for _, t := range []lenient.Time{r.Logged, r.Time} {
		if !r.At.Set {
			r.At = t
		}
	}
	if r.Activity == "" {
		r.Activity = r.Operation
	}
	if r.Activity == "" && len(r.By) == 0 {
		r.portal(raw)
	}
	if !r.At.Set {
		return r, errNoTime
	}
	return r, r.actor()
}

// actor reads who did it.
func (r *auditRow) actor() error {
	by := r.By
	if len(by) > 0 && by[0] == '"' { // JSON in a text, or what is left of an object
		var s string
		if err := json.Unmarshal(by, &s); err != nil {
			return errNoActor
		}
		if s = strings.TrimSpace(s); s == "" {
			return nil
		}
		by = json.RawMessage(s)
	}
	var list lenient.List[initiator]
	switch {
	case len(by) == 0 || string(by) == "null":
		return nil // the service itself
	case by[0] != '{' && by[0] != '[' || json.Unmarshal(by, &list) != nil || list.Dropped > 0:
		return errNoActor
	}
	if len(list.Items) > 0 {
		r.initiator = list.Items[0]
	}
	if lostText(by) {
		return errNoActor
	}
	return nil
}

// lostText reports that an initiator's user or app is only the text an export left of it.
func lostText(by json.RawMessage) bool {
	var who struct{ User, App json.RawMessage }
	if json.Unmarshal(by, &who) != nil {
		return false
	}
	for _, w := range []json.RawMessage{who.User, who.App} {
		if len(w) > 2 && w[0] == '"' && !json.Valid([]byte(unquote(string(w)))) {
			return true
		}
	}
	return false
}

func (r *auditRow) upn() string {
	if len(r.initiator.User.Items) == 0 {
		return ""
	}
	return string(r.initiator.User.Items[0].UPN)
}

func (r *auditRow) app() string {
	if len(r.initiator.App.Items) == 0 {
		return ""
	}
	return strings.ToLower(string(r.initiator.App.Items[0].AppID))
}

// failed reports that the act was refused or did not end well. A result that is not said,
// or that Graph does not know yet, may have been a success.
func failed(result string) bool {
	switch strings.ToLower(strings.TrimSpace(result)) {
	case "", "success", "succeeded", "unknownfuturevalue", "0", "accept", "accepted", "started", "progress":
		return false
	}
	return true
}

// user is the user that the act was done to: the first target, where it is one.
func (r *auditRow) user() (*target, bool) {
	for i := range r.Targets.Items[:min(len(r.Targets.Items), maxTargets)] {
		t := &r.Targets.Items[i]
		if strings.EqualFold(string(t.Type), "user") || t.Type == "" && t.UPN != "" {
			return t, true
		}
	}
	return nil, false
}

// group is the group that the act was done to, marked as one; "" is none.
func (r *auditRow) group() string {
	for i := range r.Targets.Items[:min(len(r.Targets.Items), maxTargets)] {
		if t := &r.Targets.Items[i]; strings.EqualFold(string(t.Type), "group") {
			if id, ok := ObjectID(string(t.ID)); ok {
				return ofGroup + id
			}
		}
	}
	return ""
}

// noise are modified properties that name no property of the target.
var noise = map[string]bool{"included updated properties": true, "action client name": true, "spn": true}

// properties are the names of the properties that the row says were changed, sorted, each
// once. Since April 2026 a row carries those alone.
func (r *auditRow) properties() []string {
	var out []string
	add := func(name string) {
		name = print.Clean(name, maxPropName)
		low := strings.ToLower(name)
		if name == "" || noise[low] || strings.HasPrefix(low, "targetid.") || strings.HasPrefix(low, "actorid.") || len(out) >= maxProperties {
			return
		}
		if !slices.ContainsFunc(out, func(o string) bool { return strings.EqualFold(o, name) }) {
			out = append(out, name)
		}
	}
	for i := range r.Targets.Items[:min(len(r.Targets.Items), maxTargets)] {
		for _, m := range r.Targets.Items[i].Modified.Items {
			if strings.EqualFold(string(m.Name), "included updated properties") {
				for name := range strings.SplitSeq(unquote(string(m.New)), ",") {
					add(strings.Trim(strings.TrimSpace(name), `[]"`))
				}
			}
			add(string(m.Name))
		}
	}
	slices.Sort(out)
	return out
}

// value is the new value of a modified property, else the old one, out of its JSON.
func (t *target) value(name string) string {
	for _, m := range t.Modified.Items {
		if strings.EqualFold(string(m.Name), name) {
			if v := unquote(string(m.New)); v != "" {
				return v
			}
			return unquote(string(m.Old))
		}
	}
	return ""
}

// unquote takes a text out of the JSON it may be written in; null is none.
func unquote(s string) string {
	s = strings.TrimSpace(s)
	if s == "null" {
		return ""
	}
	if strings.HasPrefix(s, `"`) {
		var inner string
		if json.Unmarshal([]byte(s), &inner) == nil {
			return strings.TrimSpace(inner)
		}
	}
	if strings.HasPrefix(s, "[") {
		var list []lenient.String
		if json.Unmarshal([]byte(s), &list) == nil && len(list) > 0 {
			return strings.TrimSpace(string(list[0]))
		}
	}
	return s
}

// centerRow is Partner Center's audit record (contracts.md 2.6).
type centerRow struct {
	ID        lenient.String `json:"id"`
	Customer  lenient.String `json:"customerId"`
	UPN       lenient.String `json:"userPrincipalName"`
	Type      lenient.String `json:"resourceType"`
	Operation lenient.String `json:"operationType"`
	At        lenient.Time   `json:"operationDate"`
	Status    lenient.String `json:"operationStatus"`
}

// azureRow is an event of Azure's activity log.
type azureRow struct {
	ID        lenient.String `json:"eventDataId"`
	At        lenient.Time   `json:"eventTimestamp"`
	Caller    lenient.String `json:"caller"`
	Operation valued         `json:"operationName"`
	Status    valued         `json:"status"`
	Provider  valued         `json:"resourceProviderName"`
	Claims    struct {
		Object lenient.String `json:"http://schemas.microsoft.com/identity/claims/objectidentifier"`
		App    lenient.String `json:"appid"`
	} `json:"claims"`
}

// valued is a text, or an object with one.
type valued string

// UnmarshalJSON takes both.
func (v *valued) UnmarshalJSON(b []byte) error {
	*v = ""
	var o struct{ Value lenient.String }
	var s lenient.String
	if len(b) > 0 && b[0] == '{' {
		_ = json.Unmarshal(b, &o)
		*v = valued(o.Value)
		return nil
	}
	_ = json.Unmarshal(b, &s)
	*v = valued(s)
	return nil
}

// activity is a text of a log in one line. The mark of a version behind it goes: the act is
// the same.
func activity(s string) string {
	s = print.Clean(s, maxText)
	for {
		cut := strings.TrimRight(s, " .;")
		if i := strings.LastIndexByte(cut, ' '); i > 0 && version(cut[i+1:]) {
			cut = cut[:i]
		}
		if cut == s {
			return s
		}
		s = cut
	}
}

// version reports the mark of a version: v2, (v1.0), [V3].
func version(word string) bool {
	word = strings.ToLower(strings.Trim(word, "()[]"))
	if len(word) < 2 || word[0] != 'v' {
		return false
	}
	return strings.Trim(word[1:], "0123456789.") == ""
}

func day(t time.Time) int64 {
	s := t.Unix()
	if s < 0 {
		return (s - 86399) / 86400
	}
	return s / 86400
}
