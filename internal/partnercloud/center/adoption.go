package center

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// Times of the adoption family have no zone (contracts.md section 2.4).
const zoneless = "2006-01-02T15:04:05.999"

// maxRows is the published bound of both lists.
const maxRows = 10_000

type adoption struct {
	Day   string `json:"loginDate"`
	MFA   int64  `json:"mfaCompliantRequestCount"`
	Total int64  `json:"totalRequestCount"`
	AppID string `json:"applicationId"`
	App   string `json:"applicationName"`
}

// adoptionByApp counts the API requests of the last seven days by app and day:
// a bare array, newest day first. App-only requests are never counted.
func adoptionByApp(k *call) (reply, *fault) {
	rows := map[string]*adoption{}
	for r := range k.s.NewestRequests(k.partner, k.now.Add(-world.RequestsFor)) {
		if r.Portal || r.AppOnly {
			continue
		}
		day := r.At.UTC().Format(time.DateOnly)
		key := day + strings.ToLower(r.AppID)
		a := rows[key]
		if a == nil {
			a = &adoption{Day: day, AppID: r.AppID, App: r.AppName}
			rows[key] = a
		}
		a.Total++
		if r.MFA {
			a.MFA++
		}
	}
	out := make([]adoption, 0, len(rows))
	for _, a := range rows {
		out = append(out, *a)
	}
	slices.SortFunc(out, func(a, b adoption) int {
		return cmp.Or(cmp.Compare(b.Day, a.Day), cmp.Compare(a.AppID, b.AppID))
	})
	return ok(out), nil
}

type principal struct {
	ObjectID string `json:"objectId"`
	TenantID string `json:"tenantId"`
	UPN      string `json:"upn"`
	// The resource's table of the documentation says …LoginDateTime, its example
	// this (trap 8).
	Last string `json:"lastNonMfaCompliantRequestDateTime"`
}

// principalsWithoutMFA lists who used the portal without MFA, with the latest
// such request.
func principalsWithoutMFA(k *call) (reply, *fault) {
	rows, seen := []principal{}, map[string]bool{}
	for r := range k.s.NewestRequests(k.partner, k.now.Add(-world.RequestsFor)) {
		if !r.Portal || r.AppOnly || r.MFA || seen[r.UserID] {
			continue
		}
		seen[r.UserID] = true
		rows = append(rows, principal{r.UserID, r.TenantID, r.UPN, r.At.UTC().Format(zoneless)})
		if len(rows) == maxRows {
			break
		}
	}
	return ok(list(rows)), nil
}

type partnerRequest struct {
	ID          string `json:"requestId"`
	Correlation string `json:"correlationId"`
	Operation   string `json:"operationName"`
	At          string `json:"requestDateTime"`
	IP          string `json:"ipAddress"`
	UserID      string `json:"objectId"`
	TenantID    string `json:"tenantId"`
	UPN         string `json:"upn"`
	AppID       string `json:"applicationId"`
	MFA         bool   `json:"mfaCompliant"`
}

// partnerRequests lists the newest API requests of the last seven days.
func partnerRequests(k *call) (reply, *fault) {
	rows := []partnerRequest{}
	for r := range k.s.NewestRequests(k.partner, k.now.Add(-world.RequestsFor)) {
		if r.Portal || r.AppOnly {
			continue
		}
		rows = append(rows, partnerRequest{r.ID, r.Correlation, r.Operation, r.At.UTC().Format(zoneless), r.IP, r.UserID, r.TenantID, r.UPN, r.AppID, r.MFA})
		if len(rows) == maxRows {
			break
		}
	}
	return ok(list(rows)), nil
}

type auditRecord struct {
	ID           string           `json:"id"`
	Partner      string           `json:"partnerId"`
	Customer     string           `json:"customerId"`
	CustomerName string           `json:"customerName"`
	UPN          string           `json:"userPrincipalName"`
	AppID        string           `json:"applicationId"`
	ResourceType string           `json:"resourceType"`
	Old          string           `json:"resourceOldValue"`
	New          string           `json:"resourceNewValue"`
	Operation    string           `json:"operationType"`
	Correlation  string           `json:"originalCorrelationId"`
	At           string           `json:"operationDate"`
	Status       string           `json:"operationStatus"`
	Data         []world.KeyValue `json:"customizedData"`
	Attributes   attributes       `json:"attributes"`
}

// auditAge is how far back audit records may be asked for; auditDefault what is
// given when nothing is said (contracts.md section 2.6).
const (
	auditAge     = 90 * 24 * time.Hour
	auditDefault = 30 * 24 * time.Hour
)

func auditRecords(k *call) (reply, *fault) {
	today := k.now.UTC().Truncate(24 * time.Hour)
	start, end := today.Add(-auditDefault), today
	for name, to := range map[string]*time.Time{"startDate": &start, "endDate": &end} {
		v := k.query(name)
		if v == "" {
			continue
		}
		day, _, _ := strings.Cut(v, "T")
		t, err := time.Parse(time.DateOnly, day)
		if err != nil {
			return reply{}, refuse(http.StatusBadRequest, 400, "%s must be a date of the form yyyy-mm-dd.", name)
		}
		*to = t
	}
	if k.query("startDate") == "" && start.After(end) {
		start = end.Add(-auditDefault)
	}
	switch {
	case start.Before(today.Add(-auditAge)):
		return reply{}, refuse(http.StatusBadRequest, 400, "startDate lies more than 90 days back.")
	case end.Before(start):
		return reply{}, refuse(http.StatusBadRequest, 400, "endDate lies before startDate.")
	}
	f, bad := parseFilter(k.query("filter"), "CompanyName", "CustomerId", "ResourceType")
	if bad != nil {
		return reply{}, bad
	}
	if f != nil {
		if want := map[string]string{"CompanyName": "substring", "CustomerId": "equals", "ResourceType": "equals"}[f.Field]; f.Operator != want {
			return reply{}, refuse(http.StatusBadRequest, 400, "The field %s is compared by %s.", f.Field, want)
		}
	}
	until := end.Add(24 * time.Hour)
	var rows []*world.AuditRecord
	for _, r := range slices.Backward(k.partner.Records) {
		if r.Quiet {
			continue
		}
		if r.At.Before(start) || !r.At.Before(until) {
			continue
		}
		if f != nil && !f.matches(map[string]string{"CompanyName": r.CustomerName, "CustomerId": r.Customer, "ResourceType": r.ResourceType}[f.Field]) {
			continue
		}
		rows = append(rows, r)
	}
	out, bad := page(k, rows, func(r *world.AuditRecord) auditRecord {
		data := r.Data
		if data == nil {
			data = []world.KeyValue{}
		}
		return auditRecord{r.ID, k.partner.ID, r.Customer, r.CustomerName, r.UPN, r.AppID, r.ResourceType, r.Old, r.New, r.Operation, r.Correlation,
			r.At.UTC().Format(time.RFC3339Nano), r.Status, data, object("AuditRecord")}
	})
	return ok(out), bad
}
