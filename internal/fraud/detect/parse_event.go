package detect

import (
	"encoding/json"
	"strings"

	"partnerguard/internal/intake/text"
	"partnerguard/internal/lenient"
)

// named is a text that may be {value, localizedValue}, or a text alone.
type named string

func (n *named) UnmarshalJSON(b []byte) error {
	var o struct {
		Value lenient.String
		Code  lenient.Int `json:"errorCode"` // of a sign-in
	}
	if len(b) > 0 && b[0] == '{' {
		if json.Unmarshal(b, &o) == nil {
			*n = named(o.Value)
		}
		if o.Code.Value != 0 {
			*n = "Failed"
		}
		return nil
	}
	var s lenient.String
	if err := s.UnmarshalJSON(b); err == nil {
		*n = named(s)
	}
	return nil
}

// loose is an object that may also be JSON in a text.
type loose json.RawMessage

func (l *loose) UnmarshalJSON(b []byte) error {
	*l = loose(open(b, 3))
	return nil
}

// open takes JSON out of a text, at most so many times.
func open(b []byte, times int) []byte {
	for range times {
		if len(b) == 0 || b[0] != '"' {
			break
		}
		s := strings.TrimSpace(text.Unquote(b))
		if s == "" || s[0] != '{' && s[0] != '[' && s[0] != '"' || !json.Valid([]byte(s)) {
			return nil
		}
		b = []byte(s)
	}
	return append([]byte(nil), b...)
}

// eventRow is a row of the Activity Log, in any of its forms.
type eventRow struct {
	At          lenient.Time    `json:"eventTimestamp"`
	Time        lenient.Time    `json:"time"`
	Generated   lenient.Time    `json:"timeGenerated"`
	Submitted   lenient.Time    `json:"submissionTimestamp"`
	Operation   named           `json:"operationName"`
	OpValue     named           `json:"operationNameValue"`
	Status      named           `json:"status"`
	StatusValue named           `json:"activityStatusValue"`
	ResultType  lenient.String  `json:"resultType"`
	Signature   lenient.String  `json:"resultSignature"`
	SubStatus   named           `json:"subStatus"`
	Caller      lenient.String  `json:"caller"`
	Claims      loose           `json:"claims"`
	Auth        loose           `json:"authorization"`
	Identity    loose           `json:"identity"`
	Resource    lenient.String  `json:"resourceId"`
	Type        named           `json:"resourceType"`
	Sub         lenient.String  `json:"subscriptionId"`
	Tenant      lenient.String  `json:"tenantId"`
	HTTP        loose           `json:"httpRequest"`
	IP          lenient.String  `json:"callerIpAddress"`
	IP2         lenient.String  `json:"ipAddress"`
	Location    json.RawMessage `json:"location"`
	Place       lenient.String  `json:"resourceLocation"`
	Country     lenient.String  `json:"country"`
	Props       loose           `json:"properties"`
	Correlation lenient.String  `json:"correlationId"`
	OpID        lenient.String  `json:"operationId"`

	// The directory's logs.
	Activity  lenient.String       `json:"activityDisplayName"`
	Acted     lenient.Time         `json:"activityDateTime"`
	Result    lenient.String       `json:"result"`
	By        loose                `json:"initiatedBy"`
	Targets   lenient.List[target] `json:"targetResources"`
	Created   lenient.Time         `json:"createdDateTime"`
	UPN       lenient.String       `json:"userPrincipalName"`
	UserID    lenient.String       `json:"userId"`
	AppID     lenient.String       `json:"appId"`
	Principal lenient.String       `json:"servicePrincipalId"`
	Risk      lenient.String       `json:"riskLevelDuringSignIn"`
	RiskAll   lenient.String       `json:"riskLevelAggregated"`
	RiskState lenient.String       `json:"riskState"`
	RiskLevel lenient.String       `json:"riskLevel"`
	ID        lenient.String       `json:"id"`
	Category  named                `json:"category"`
}

type target struct {
	ID       lenient.String `json:"id"`
	UPN      lenient.String `json:"userPrincipalName"`
	Modified lenient.List[struct {
		Name lenient.String `json:"displayName"`
		New  lenient.String `json:"newValue"`
	}] `json:"modifiedProperties"`
}

// ParseEvent reads a row of the Activity Log (of REST, a diagnostic setting, or flat), of the
// directory's audit log, or a sign-in. The customer may be "".
func ParseEvent(raw []byte) (Event, error) { return parseEvent(raw, false) }

// parseEvent reads a row; enclosed is one out of an envelope, which holds no further one.
func parseEvent(raw []byte, enclosed bool) (Event, error) {
	if len(raw) > maxRecord {
		return Event{}, errLong
	}
	var r eventRow
	if err := json.Unmarshal(raw, &r); err != nil {
		if !json.Valid(raw) || raw[text.SkipSpace(raw, 0)] != '{' {
			return Event{}, errObject
		}
	}
	if cat := strings.ToLower(string(r.Category)); !enclosed && len(r.Props) > 0 && r.Activity == "" && (strings.HasSuffix(cat, "auditlogs") ||
		strings.Contains(cat, "signinlogs")) {
		if in, err := parseEvent(r.Props, true); err == nil { // a diagnostic setting's envelope
			in.Customer = first2(in.Customer, lowerID(string(r.Tenant)))
			return in, nil
		}
	}
	e := Event{Customer: lowerID(string(r.Tenant)), Act: string(r.Correlation), IP: string(r.IP)}
	if e.IP == "" {
		e.IP = string(r.IP2)
	}
	e.Country = strings.ToUpper(string(r.Country))
	for _, t := range []lenient.Time{r.At, r.Time, r.Acted, r.Created, r.Generated, r.Submitted} {
		if t.Set && sane(t.Time) {
			e.At = t.UTC()
			break
		}
	}
	if e.At.IsZero() {
		return e, errWhen
	}
	var err error
	switch {
	case r.Operation == "" && r.OpValue == "" && r.Activity == "" && (r.UPN != "" || r.UserID != "" || r.Principal != ""):
		err = r.signIn(&e)
	case r.Activity != "" || len(r.By) > 0:
		err = r.directory(&e)
	default:
		err = r.azure(&e)
	}
	e.Country = country(e.Country)
	return e, err
}

// azure reads what Azure Resource Manager wrote.
func (r *eventRow) azure(e *Event) error {
	e.Log, e.Operation = ActivityLog, string(r.Operation)
	if r.OpValue != "" {
		e.Operation = string(r.OpValue)
	}
	if e.Operation == "" {
		return errWhat
	}
	e.Resource = string(r.Resource)
	e.Subscription = lowerID(string(r.Sub))
	if i := strings.Index(strings.ToLower(e.Resource), "/subscriptions/"); e.Subscription == "" && i >= 0 {
		e.Subscription, _, _ = strings.Cut(strings.ToLower(e.Resource[i+len("/subscriptions/"):]), "/")
	}
	for _, s := range []string{string(r.StatusValue), string(r.Status), string(r.ResultType)} {
		if e.Status == "" {
			e.Status = s
		}
	}
	e.Code = string(r.SubStatus) + " " + string(r.Signature)
	if strings.HasPrefix(e.Code, " Failed.") {
		e.Status = "Failed"
	}
	e.Caller = string(r.Caller)
	claims := r.Claims
	if len(r.Identity) > 0 {
		var in struct {
			Claims loose `json:"claims"`
			Auth   loose `json:"authorization"`
		}
		if json.Unmarshal(r.Identity, &in) == nil {
			if len(claims) == 0 {
				claims = in.Claims
			}
			if len(r.Auth) == 0 {
				r.Auth = in.Auth
			}
		}
	}
	readClaims(e, claims)
	var h struct {
		IP lenient.String `json:"clientIpAddress"`
	}
	if e.IP == "" && json.Unmarshal(r.HTTP, &h) == nil {
		e.IP = string(h.IP)
	}
	r.where(e)
	r.asked(e)
	if e.Act == "" {
		e.Act = string(r.OpID)
	}
	return nil
}

// readClaims reads who called out of its token's claims.
func readClaims(e *Event, claims []byte) {
	if len(claims) == 0 || claims[0] != '{' {
		return
	}
	text.Members(claims, func(key, val []byte) bool {
		if val[0] != '"' {
			return true
		}
		k, v := strings.ToLower(text.Unquote(key)), text.Unquote(val)
		if i := strings.LastIndexByte(k, '/'); i >= 0 {
			k = k[i+1:]
		}
		switch k {
		case "objectidentifier", "oid":
			e.Actor = strings.ToLower(v)
		case "appid", "azp", "clientid":
			e.App = strings.ToLower(v)
		case "upn", "preferred_username", "unique_name", "emailaddress":
			if e.Caller == "" {
				e.Caller = v
			}
		case "name":
			if e.Caller == "" && strings.Contains(v, "@") {
				e.Caller = v
			}
		case "ipaddr":
			if e.IP == "" {
				e.IP = v
			}
		case "ctry", "country":
			if e.Country == "" {
				e.Country = v
			}
		case "tenantid", "tid":
			if e.Customer == "" {
				e.Customer = lowerID(v)
			}
		}
		return true
	})
}

// where reads the region, and the country where a row has one.
func (r *eventRow) where(e *Event) {
	e.Region = regionName(string(r.Place))
	if l := []byte(r.Location); len(l) > 0 && l[0] == '{' {
		e.Country = first2(e.Country, countryOf(l))
	}
}

func first2(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// countryOf reads the country of a place as sign-ins have it.
func countryOf(place []byte) string {
	var p struct {
		Country lenient.String `json:"countryOrRegion"`
	}
	if json.Unmarshal(place, &p) != nil {
		return ""
	}
	return string(p.Country)
}

// country is a country's code, or a short name; anything else is not believed.
func country(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 40 {
		return ""
	}
	return strings.ToUpper(s)
}

// directory reads a row of the directory's audit log.
func (r *eventRow) directory(e *Event) error {
	e.Log, e.Operation, e.Status = Directory, string(r.Activity), string(r.Result)
	if e.Operation == "" {
		e.Operation = string(r.Operation)
	}
	if e.Operation == "" {
		return errWhat
	}
	e.Subscription = ""
	var by struct {
		User struct {
			ID  lenient.String `json:"id"`
			UPN lenient.String `json:"userPrincipalName"`
			IP  lenient.String `json:"ipAddress"`
		} `json:"user"`
		App struct {
			ID   lenient.String `json:"servicePrincipalId"`
			App  lenient.String `json:"appId"`
			Name lenient.String `json:"displayName"`
		} `json:"app"`
	}
	_ = json.Unmarshal(r.By, &by)
	e.Caller, e.Actor = string(by.User.UPN), strings.ToLower(string(by.User.ID))
	if e.IP == "" {
		e.IP = string(by.User.IP)
	}
	if e.Caller == "" && e.Actor == "" {
		e.Caller = strings.ToLower(first2(string(by.App.ID), string(by.App.App)))
	}
	for _, t := range r.Targets.Items {
		e.Targets = append(e.Targets, strings.ToLower(string(t.ID)), strings.ToLower(string(t.UPN)))
		for _, m := range t.Modified.Items {
			if name := strings.ToLower(string(m.Name)); strings.Contains(name, "appid") || strings.Contains(name, "objectid") {
				e.Targets = append(e.Targets, strings.ToLower(strings.Trim(string(m.New), "\"[] ")))
			}
		}
	}
	e.Act, e.Resource = string(r.ID), strings.Join(e.Targets, ",")
	return nil
}

// signIn reads a sign-in.
func (r *eventRow) signIn(e *Event) error {
	e.Log, e.Operation = SignIns, "Sign-in"
	e.Caller, e.Actor, e.App = string(r.UPN), strings.ToLower(string(r.UserID)), strings.ToLower(string(r.AppID))
	if e.Caller == "" {
		e.Caller = strings.ToLower(first2(string(r.UserID), string(r.Principal)))
	}
	e.Country = first2(countryOf(r.Location), e.Country)
	for _, s := range []string{string(r.RiskState), string(r.Risk), string(r.RiskLevel), string(r.RiskAll)} {
		low := strings.ToLower(s)
		if low == "high" || low == "medium" && e.Risk != "high" || low == "confirmedcompromised" {
			e.Risk = s
		}
	}
	e.Act = string(r.ID)
	e.Status = string(r.Status)
	return nil
}
