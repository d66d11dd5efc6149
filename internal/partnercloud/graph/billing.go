package graph

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"partnerguard/internal/partnercloud/world"
)

// The partner billing API: an export of unbilled usage is asked for, followed as an
// operation, described by a manifest, and fetched as gzip files of JSON lines from an
// address that a signature opens. In production that is Azure Blob Storage; here it lies
// under this service, by a path of the cloud's own.

const (
	billingPath = "reports/partners/billing"
	blobsPath   = "/partner-cloud/billing/"
)

// export is one export of billing data.
type export struct {
	operation, manifest string
	tenant              string
	started, due        time.Time
	from, to            time.Time // of the usage days; to is exclusive
	currency, set       string
}

const (
	maxExports  = 200
	exportTakes = 20 * time.Second
	// ratedAfter is how late usage is rated: what a day's hour used is known a day later.
	ratedAfter = 24 * time.Hour
	// sasLives is how long the address of an export opens.
	sasLives = 12 * time.Hour
)

func exportUnbilled(c *call, s *world.State, _ *world.Tenant) (*reply, error) {
	if err := (fields{"currencyCode": text().upTo(3).need(), "billingPeriod": enum("current last").need(), "attributeSet": enum("full basic")}).
		check("", c.in); err != nil {
		return nil, err
	}
	x := &export{operation: world.NewGUID(), manifest: world.NewGUID(), tenant: c.caller.Tenant, started: c.now, due: c.now.Add(exportTakes),
		currency: strings.ToUpper(str(c.in, "currencyCode")), set: str(c.in, "attributeSet")}
	if x.set == "" {
		x.set = "full"
	}
	if x.currency == "" || str(c.in, "billingPeriod") == "" {
		return nil, badRequest("currencyCode and billingPeriod are required.")
	}
	x.from = time.Date(c.now.Year(), c.now.Month(), 1, 0, 0, 0, 0, time.UTC)
	x.to = x.from.AddDate(0, 1, 0)
	if str(c.in, "billingPeriod") == "last" {
		x.from, x.to = x.from.AddDate(0, -1, 0), x.from
	}
	if c.g.exports == nil {
		c.g.exports = map[string]*export{}
	}
	c.g.exports[x.operation] = x
	if c.g.ordered = append(c.g.ordered, x.operation); len(c.g.ordered) > maxExports {
		delete(c.g.exports, c.g.ordered[0])
		c.g.ordered = c.g.ordered[1:]
	}
	return &reply{status: http.StatusAccepted, header: http.Header{"Location": {c.root() + "/" + billingPath + "/operations/" + x.operation},
		"Retry-After": {"10"}}}, nil
}

func getExport(c *call, _ *world.State, _ *world.Tenant) (*reply, error) {
	x := c.g.exports[strings.ToLower(c.params[0])]
	if x == nil || x.tenant != c.caller.Tenant {
		return nil, notFound(c.params[0])
	}
	body := object{{"@odata.context", c.root() + "/$metadata#reports/partners/billing/operations/$entity"},
		{"@odata.type", "#microsoft.graph.partners.billing.runningOperation"}, {"id", x.operation}, {"status", "running"}, {"createdDateTime", x.started},
		{"lastActionDateTime", x.started}}
	if c.now.Before(x.due) {
		rep, err := give(body)
		rep.header = http.Header{"Retry-After": {"10"}}
		return rep, err
	}
	body[1].value, body[3].value, body[5].value = "#microsoft.graph.partners.billing.exportSuccessOperation", "succeeded", x.due
	at := c.root() + "/" + billingPath + "/manifests/" + x.manifest
	return give(append(body, member{"resourceLocation@odata.navigationLink", at}, member{"resourceLocation", object{{"id", x.manifest}}}))
}

func (g *Graph) exportOf(manifest string) *export {
	for _, x := range g.exports {
		if strings.EqualFold(x.manifest, manifest) {
			return x
		}
	}
	return nil
}

const blobName = "part-00000.c000.json.gz"

func getManifest(c *call, s *world.State, _ *world.Tenant) (*reply, error) {
	x := c.g.exportOf(c.params[0])
	if x == nil || x.tenant != c.caller.Tenant || c.now.Before(x.due) {
		return nil, notFound(c.params[0])
	}
	until := c.now.Add(sasLives).UTC().Format(time.RFC3339)
	sas := "sv=2021-08-06&se=" + strings.ReplaceAll(until, ":", "%3A") + "&sr=d&sp=rl&sdd=7&sig=" + c.g.tokens.Seal("billing\x00"+x.manifest, []byte(until))
	return give(object{{"@odata.context", c.root() + "/$metadata#reports/partners/billing/manifests/$entity"}, {"id", x.manifest}, {"schemaVersion", "1"},
		{"dataFormat", "compressedJSONLines"}, {"createdDateTime", x.due}, {"eTag", world.HashSecret("export/" + x.operation)[:17]},
		{"partnerTenantId", s.Partner}, {"rootDirectory", c.base + blobsPath + x.manifest}, {"sasToken", sas}, {"partitionType", "default"}, {"blobCount", 1},
		{"blobs", []object{{{"name", blobName}, {"partitionValue", "default"}}}}})
}

// blob answers the address of an exported file: the signature opens it, nothing else.
func (c *call) blob(rest string) (*reply, error) {
	manifest, name, _ := strings.Cut(rest, "/")
	q := c.r.URL.Query()
	until, good := c.g.tokens.Open("billing\x00"+manifest, q.Get("sig"))
	at, err := time.Parse(time.RFC3339, string(until))
	switch {
	case c.r.Method != http.MethodGet && c.r.Method != http.MethodHead:
		return nil, refuse(http.StatusMethodNotAllowed, "UnsupportedHttpVerb", "The resource does not support the specified Http Verb.")
	case !good || err != nil || q.Get("se") != string(until) || c.now.After(at):
		return nil, refuse(http.StatusForbidden, "AuthenticationFailed", "Server failed to authenticate the request: the signature is not right or has ended.")
	}
	var rep *reply
	err = c.g.world.Do(func(s *world.State) error {
		x := c.g.exportOf(manifest)
		if x == nil || name != blobName {
			return refuse(http.StatusNotFound, "BlobNotFound", "The specified blob does not exist.")
		}
		body, err := unbilled(s, x)
		rep = &reply{status: http.StatusOK, body: body, media: "application/gzip"}
		return err
	})
	return rep, err
}

// unbilled are the daily-rated lines of every customer's Azure, as far as they were rated
// when the export was made.
func unbilled(s *world.State, x *export) ([]byte, error) {
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	enc := json.NewEncoder(zip)
	known := x.started.Add(-ratedAfter)
	p := s.PartnerTenant()
	for c := range p.Customers.All() {
		for i := range c.Subscriptions {
			plan := &c.Subscriptions[i]
			for j := range plan.Entitlements {
				e := &plan.Entitlements[j]
				for _, u := range s.UsageByResource(c.TenantID, e.SubscriptionID, x.from, x.to, known) {
					if u.Day.Before(x.from) || !u.Day.Before(x.to) || u.Day.After(known) {
						continue
					}
					if err := enc.Encode(usageLine(s, p, c, plan, e, &u, x)); err != nil {
						return nil, err
					}
				}
			}
		}
	}
	err := zip.Close()
	return out.Bytes(), err
}
