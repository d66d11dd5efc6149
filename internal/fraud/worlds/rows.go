package worlds

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"partnerguard/internal/entra"
)

func (w *World) usageLine(b *bytes.Buffer, l *Line) {
	t, s, c := l.thing, l.thing.sub, l.thing.sub.customer
	o := &object{b: b, camel: w.style.camel}
	subscription := s.ID
	if w.style.plan {
		subscription = c.plan
	}
	o.open()
	o.str("PartnerId", w.partner)
	o.str("CustomerId", c.ID)
	o.str("CustomerName", c.Name)
	o.str("CustomerDomainName", c.Domain)
	o.str("CustomerCountry", c.Country)
	o.str("InvoiceNumber", "")
	o.str("ProductId", "DZH318Z0BPS6")
	o.str("SkuId", "0001")
	o.str("SkuName", "Azure plan")
	o.str("ProductName", "Azure plan")
	o.str("SubscriptionId", subscription)
	o.str("SubscriptionDescription", "Azure plan")
	o.str("EntitlementId", s.ID)
	o.str("EntitlementDescription", s.Name)
	month := w.hour(l.from)
	month = month.AddDate(0, 0, 1-month.Day()).Truncate(24 * time.Hour)
	o.str("ChargeStartDate", month.Format(time.RFC3339))
	o.str("ChargeEndDate", month.AddDate(0, 1, -1).Format(time.RFC3339))
	if w.style.hourly {
		o.str("UsageDate", w.hour(l.from).Format(time.RFC3339))
	} else {
		o.str("UsageDate", w.hour(l.from).Format("2006-01-02")+"T00:00:00Z")
	}
	o.str("MeterType", l.meter.unit)
	o.str("MeterCategory", l.meter.category)
	o.str("MeterId", meterID(l.meter, t.region))
	o.str("MeterSubCategory", l.meter.sub)
	o.str("MeterName", l.meter.name)
	o.str("MeterRegion", t.region)
	o.str("ResourceLocation", t.region)
	o.str("Unit", l.meter.unit)
	o.str("UnitType", l.meter.unit)
	o.str("ConsumedService", t.form.service)
	o.str("ResourceGroup", t.group)
	o.str("ResourceURI", t.id())
	o.str("ChargeType", chargeType(l))
	o.raw("UnitPrice", decimal(l.unit))
	o.raw("EffectiveUnitPrice", decimal(l.unit))
	o.raw("Quantity", decimal(l.qty))
	o.raw("BillingPreTaxTotal", decimal(l.cost))
	o.str("BillingCurrency", l.money)
	o.raw("PricingPreTaxTotal", decimal(l.qty*l.meter.price/million))
	o.str("PricingCurrency", "EUR")
	o.str("ServiceInfo1", "")
	o.str("ServiceInfo2", "")
	w.texts(o, t)
	o.shut()
	b.WriteByte('\n')
}

func (w *World) texts(o *object, t *thing) {
	info := ""
	if t.form.size != "" {
		info = fmt.Sprintf(`{"ServiceType":"%s","vCores":%d}`, t.form.size, t.form.cores)
	}
	switch {
	case w.style.object && info != "":
		o.raw("Tags", `{}`)
		o.raw("AdditionalInfo", info)
	default:
		o.str("Tags", "")
		o.str("AdditionalInfo", info)
	}
}

func chargeType(l *Line) string {
	if l.qty < 0 {
		return "customerCredit"
	}
	return "new"
}

// meterID is the same for the same meter in the same region.
func meterID(m meter, region string) string {
	d := (&dice{s: 7}).fork(m.name + m.sub + region)
	return d.guid()
}

// row is one row of an act: its state, and how much later it came.
type row struct {
	state, sub string
	after      time.Duration
}

func (a *act) rows() []row {
	wait := time.Duration(3+len(a.id)%40) * time.Second
	switch {
	case a.failed != "":
		return []row{{"Started", "", 0}, {"Failed", "Conflict", 900 * time.Millisecond}}
	case a.category == "Policy" || a.category == "Autoscale":
		return []row{{"Succeeded", "", 0}}
	case a.long:
		return []row{{"Started", "", 0}, {"Accepted", "Accepted", 1200 * time.Millisecond}, {"Succeeded", "", wait}}
	}
	return []row{{"Started", "", 0}, {"Succeeded", "Created", 700 * time.Millisecond}}
}

// actRows writes an act in one of the three forms.
func (w *World) actRows(b *bytes.Buffer, a *act, form string) {
	operation := (&dice{s: mix(uint64(a.at.UnixNano()))}).guid()
	for i, r := range a.rows() {
		at := a.at.Add(r.after)
		if form == "diagnostic" {
			w.diagnostic(b, a, r, at)
		} else {
			w.rest(b, a, r, at, form == "flat", operation+num(i))
		}
		b.WriteByte('\n')
	}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }

func (a *act) resourceType() (provider, kind string) {
	parts := strings.Split(a.op, "/")
	kind = strings.TrimSuffix(strings.Join(parts[:len(parts)-1], "/"), "/"+"register")
	for _, verb := range []string{"/start", "/restart", "/deallocate", "/listKeys", "/Scaleup", "/Scaledown"} {
		kind = strings.TrimSuffix(kind, verb)
	}
	return parts[0], kind
}

func (a *act) group() string {
	if _, after, ok := strings.Cut(a.id, "/resourceGroups/"); ok {
		name, _, _ := strings.Cut(after, "/")
		return name
	}
	return ""
}

func (w *World) claims(o *object, a *act) {
	o.in("claims")
	if a.who.app != "" {
		o.str("appid", a.who.app)
		o.str("idtyp", "app")
	} else {
		o.str("appid", entra.AppAzurePortal)
		o.str("name", a.who.name)
		o.str("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn", a.who.upn)
	}
	o.str("ipaddr", a.ip)
	o.str("iss", "https://"+entra.STSHost+"/"+a.who.tenant+"/")
	o.str("http://schemas.microsoft.com/identity/claims/objectidentifier", a.who.id)
	o.str("http://schemas.microsoft.com/identity/claims/tenantid", a.who.tenant)
	o.shut()
}

// texts that an operation carries: what was asked for, and why it was refused.
func (w *World) properties(o *object, a *act, r row) {
	o.in("properties")
	if a.body != "" && w.style.bodies && r.state != "Accepted" {
		o.str("requestbody", a.body)
	}
	code := map[string]string{"Started": "", "Accepted": "Accepted", "Succeeded": "OK", "Failed": "Conflict"}[r.state]
	if code != "" {
		o.str("statusCode", code)
	}
	if r.state == "Failed" {
		o.str("statusMessage", fmt.Sprintf(`{"error":{"code":"%s","message":"Operation could not be completed."}}`, a.failed))
	}
	o.str("eventCategory", a.category)
	o.str("entity", a.id)
	o.str("hierarchy", a.sub.customer.ID+"/"+a.sub.ID)
	o.shut()
}

func (w *World) rest(b *bytes.Buffer, a *act, r row, at time.Time, flat bool, id string) {
	o := &object{b: b}
	name := func(key, value string) {
		if flat {
			o.str(key, value)
			return
		}
		o.in(key)
		o.str("value", value)
		o.str("localizedValue", value)
		o.shut()
	}
	provider, kind := a.resourceType()
	o.open()
	o.in("authorization")
	o.str("action", a.op)
	o.str("scope", a.id)
	o.shut()
	o.str("caller", a.who.caller())
	o.str("channels", "Operation")
	w.claims(o, a)
	o.str("correlationId", a.correlation)
	o.str("eventDataId", id)
	name("eventName", map[bool]string{true: "BeginRequest", false: "EndRequest"}[r.state == "Started"])
	name("category", a.category)
	o.in("httpRequest")
	o.str("clientRequestId", a.correlation)
	o.str("clientIpAddress", a.ip)
	o.str("method", "PUT")
	o.shut()
	o.str("id", a.id+"/events/"+id)
	o.str("level", map[bool]string{true: "Error", false: "Informational"}[r.state == "Failed"])
	o.str("resourceGroupName", a.group())
	name("resourceProviderName", provider)
	o.str("resourceId", a.id)
	name("resourceType", kind)
	o.str("operationId", a.correlation)
	name("operationName", a.op)
	w.properties(o, a, r)
	name("status", r.state)
	name("subStatus", r.sub)
	o.str("eventTimestamp", stamp(at))
	o.str("submissionTimestamp", stamp(at.Add(time.Duration(60+noise(uint64(at.Unix()), 1, 420))*time.Second)))
	o.str("subscriptionId", a.sub.ID)
	o.str("tenantId", a.sub.customer.ID)
	o.shut()
}

func (w *World) diagnostic(b *bytes.Buffer, a *act, r row, at time.Time) {
	o := &object{b: b}
	o.open()
	o.str("time", stamp(at))
	o.str("resourceId", strings.ToUpper(a.id))
	o.str("operationName", strings.ToUpper(a.op))
	o.str("category", a.category)
	o.str("resultType", map[string]string{"Started": "Start", "Accepted": "Accept", "Succeeded": "Success", "Failed": "Failure"}[r.state])
	o.str("resultSignature", r.state+"."+r.sub)
	o.str("durationMs", "0")
	o.str("callerIpAddress", a.ip)
	o.str("correlationId", a.correlation)
	o.in("identity")
	o.in("authorization")
	o.str("scope", a.id)
	o.str("action", a.op)
	o.in("evidence")
	o.str("role", "Owner")
	o.str("principalId", strings.ReplaceAll(a.who.id, "-", ""))
	o.shut()
	o.shut()
	w.claims(o, a)
	o.shut()
	o.str("level", map[bool]string{true: "Error", false: "Information"}[r.state == "Failed"])
	if a.region != "" {
		o.str("location", a.region)
	}
	o.str("tenantId", a.sub.customer.ID)
	w.properties(o, a, r)
	o.shut()
}
