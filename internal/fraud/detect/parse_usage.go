package detect

import (
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/intake/text"
	"partnerguard/internal/jsonscan"
	"partnerguard/internal/lenient"
	"partnerguard/internal/print"
)

// maxRecord is the largest record read, in bytes.
const maxRecord = 1 << 20

// Why a record is not read.
var (
	errLong   = errors.New("longer than 1 MiB")
	errObject = errors.New("no JSON object")
	errWhen   = errors.New("does not say when it was")
	errWhat   = errors.New("does not say what was used or done")
	errWhose  = errors.New("says neither whose it is nor of which subscription")
	errAmount = errors.New("has an amount that is no number")
)

// ParseUsage reads a rated usage line: a JSON object as the partner billing export has them,
// its names in any case. The customer may be "".
func ParseUsage(raw []byte) (Usage, error) {
	var r usageReader
	return r.read(raw)
}

// usageReader reads lines of use; it serves one goroutine.
type usageReader struct {
	index jsonscan.Index
	buf   []byte
	row   usageRow
}

// usageRow is what a line says.
type usageRow struct {
	customer, subscription, entitlement, meterID, category, sub, name, service, product, sku, region, location, charge, resource string
	date, start, end, rated, info, info1, info2, billing, pricing                                                                string
	quantity, price, effective, cost, pricingCost                                                                                float64
	hasPricing                                                                                                                   bool
}

// set takes one member; key is lower case.
func (r *usageRow) set(key, v string) {
	switch key {
	case "customerid", "customertenantid":
		r.customer = v
	case "subscriptionid", "azuresubscriptionid", "subscriptionguid":
		r.subscription = v
	case "entitlementid":
		r.entitlement = v
	case "meterid":
		r.meterID = v
	case "metercategory":
		r.category = v
	case "metersubcategory":
		r.sub = v
	case "metername":
		r.name = v
	case "consumedservice":
		r.service = v
	case "productname":
		r.product = v
	case "skuname":
		r.sku = v
	case "meterregion":
		r.region = v
	case "resourcelocation":
		r.location = v
	case "resourceuri", "resourceid", "instanceid", "instancename":
		r.resource = v
	case "chargetype":
		r.charge = v
	case "usagedate", "date":
		r.date = v
	case "chargestartdate", "usagestart", "usagestarttime", "starttime":
		r.start = v
	case "chargeenddate", "usageend", "usageendtime", "endtime":
		r.end = v
	case "rateddate", "ratedat", "exportdate", "exporttime", "exportedat", "publisheddate", "arrivaldate", "availableat", "ingestiontime":
		r.rated = v
	case "additionalinfo":
		r.info = v
	case "serviceinfo1":
		r.info1 = v
	case "serviceinfo2":
		r.info2 = v
	case "billingcurrency", "currency":
		r.billing = v
	case "pricingcurrency":
		r.pricing = v
	default:
		r.number(key, v)
	}
}

func (r *usageRow) number(key, v string) {
	switch key {
	case "quantity", "consumedquantity":
		r.quantity = number(v)
	case "unitprice":
		r.price = number(v)
	case "effectiveunitprice":
		r.effective = number(v)
	case "billingpretaxtotal", "pretaxcost", "cost", "costinbillingcurrency":
		r.cost = number(v)
	case "pricingpretaxtotal", "costinpricingcurrency":
		r.pricingCost, r.hasPricing = number(v), v != ""
	}
}

// maxAmount is more than any line is of; what is over it would hide all that is beside it.
const maxAmount = 1e15

// number reads an amount: NaN is one that is none.
func number(v string) float64 {
	if v = strings.TrimSpace(v); v == "" {
		return 0
	}
	f, err := strconv.ParseFloat(v, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return 0
	case err != nil, math.IsInf(f, 0), math.Abs(f) > maxAmount:
		return math.NaN()
	}
	return f
}

// read reads one line.
func (r *usageReader) read(raw []byte) (Usage, error) {
	if len(raw) > maxRecord {
		return Usage{}, errLong
	}
	r.row = usageRow{}
	if !members(&r.index, raw, &r.buf, r.row.set) {
		return Usage{}, errObject
	}
	return r.row.usage()
}

// members calls f with each member of an object: its name in lower case, and its value as text
// (an object or array as JSON). f must not keep the name.
func members(x *jsonscan.Index, raw []byte, buf *[]byte, f func(key, value string)) bool {
	if x.Scan(raw) && x.Valid() && x.Flags&jsonscan.Backslash == 0 {
		flat(x, raw, buf, f)
		return true
	}
	if len(raw) == 0 || !json.Valid(raw) || raw[text.SkipSpace(raw, 0)] != '{' {
		return false
	}
	text.Members(raw, func(key, val []byte) bool {
		v := string(val)
		if val[0] == '"' {
			v = text.Unquote(val)
		} else if v == "null" {
			v = ""
		}
		f(strings.ToLower(text.Unquote(key)), v)
		return true
	})
	return true
}

// flat goes over the members of an object that is valid, and has no escapes.
func flat(x *jsonscan.Index, raw []byte, buf *[]byte, f func(key, value string)) {
	for k := 1; k < x.Len() && x.At(k) == '"'; {
		from, to, _ := x.String(k)
		*buf = (*buf)[:0]
		for _, c := range raw[from:to] {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			*buf = append(*buf, c)
		}
		v := k + 2
		next, ok := x.Skip(v)
		if !ok {
			return
		}
		switch x.At(v) {
		case '"':
			s, e, _ := x.String(v)
			f(string(*buf), string(raw[s:e]))
		case '{', '[':
			end := int(x.Pos[next-1]) + 1
			f(string(*buf), string(raw[x.Pos[v]:end]))
		default:
			if t, ok := x.Scalar(v); ok && string(t) != "null" {
				f(string(*buf), string(t))
			}
		}
		k = next + 1
	}
}

// usage makes a line of use of what was read.
func (r *usageRow) usage() (Usage, error) {
	u := Usage{Customer: lowerID(r.customer), Meter: strings.ToLower(r.meterID), Category: r.category, SubCategory: r.sub, Name: r.name, Service: r.service,
		Product: r.product + " " + r.sku, Region: regionName(r.location), Charge: r.charge, Quantity: r.quantity}
	if u.Region == "" {
		u.Region = regionName(r.region)
	}
	u.Subscription = lowerID(r.subscription)
	if guid(r.entitlement) {
		u.Subscription = lowerID(r.entitlement) // subscriptionId may be the plan's
	}
	switch {
	case u.Subscription == "":
		return u, errWhose
	case r.category == "" && r.name == "" && r.meterID == "" && r.service == "":
		return u, errWhat
	case math.IsNaN(r.quantity + r.price + r.effective + r.cost + r.pricingCost):
		return u, errAmount
	}
	if err := r.when(&u); err != nil {
		return u, err
	}
	if u.Meter == "" {
		u.Meter = strings.ToLower(r.category + "/" + r.sub + "/" + r.name)
	}
	u.Size = sizeIn(r.info, r.info1, r.info2)
	u.Cost, u.Currency = r.cost, r.billing
	if r.hasPricing && r.pricing != "" {
		u.Cost, u.Currency = r.pricingCost, r.pricing
	}
	if u.Cost == 0 && r.quantity > 0 {
		if u.Price = r.effective; u.Price == 0 {
			u.Price = r.price
		}
		if u.Currency = r.pricing; u.Currency == "" {
			u.Currency = r.billing
		}
		u.Cost = u.Price * r.quantity
	}
	return u, nil
}

// when reads the time that a line is for: a day, or an hour where it says the time of it.
func (r *usageRow) when(u *Usage) error {
	t, ok := clock(r.date)
	if !ok {
		if t, ok = clock(r.start); !ok {
			return errWhen
		}
	}
	if !sane(t) {
		return errWhen
	}
	u.From, u.To = t, t.Add(24*time.Hour)
	if begin := t.Truncate(24 * time.Hour); !t.Equal(begin) {
		u.From = t.Truncate(time.Hour)
		u.To = u.From.Add(time.Hour)
	} else if end, ok := clock(r.end); ok && r.date == "" && end.Sub(t) == time.Hour {
		u.To = end
	}
	if s, ok := clock(r.start); ok && s.Equal(t) { // an hour at midnight shows by its end
		if e, ok := clock(r.end); ok && e.Sub(s) <= time.Hour && e.After(s) {
			u.To = u.From.Add(time.Hour)
		}
	}
	if t, ok := clock(r.rated); ok && sane(t) {
		u.Rated = t
	}
	return nil
}

// clock reads a time; days alone are frequent, so they are read by hand.
func clock(s string) (time.Time, bool) {
	if s == "" {
		return time.Time{}, false
	}
	if len(s) == 10 && s[4] == '-' || len(s) == 20 && s[10] == 'T' && s[19] == 'Z' {
		layout := "2006-01-02T15:04:05Z"
		if t, err := time.Parse(layout[:len(s)], s); err == nil {
			return t, true
		}
	}
	t, ok := lenient.ParseTime(s)
	if !ok {
		return lenientDay(s)
	}
	return t.UTC(), ok && sane(t)
}

// lenientDay reads days as Microsoft's American exports write them.
func lenientDay(s string) (time.Time, bool) {
	for _, layout := range []string{"1/2/2006", "1/2/2006 3:04:05 PM", "1/2/2006 15:04", "20060102"} {
		if t, err := time.Parse(layout, s); err == nil && sane(t) {
			return t, true
		}
	}
	return time.Time{}, false
}

// sizeIn finds a machine's size in what the line has besides.
func sizeIn(info string, more ...string) string {
	if i := strings.Index(info, "ServiceType"); i >= 0 || strings.Contains(strings.ToLower(info), "servicetype") {
		if info[0] == '{' {
			size := ""
			text.Members([]byte(info), func(key, val []byte) bool {
				switch strings.ToLower(text.Unquote(key)) {
				case "servicetype", "vmsize", "imagetype":
					if s := text.Unquote(val); size == "" && parseSize(s).name != "" {
						size = s
					}
				}
				return true
			})
			return size
		}
	}
	for _, s := range more {
		if strings.HasPrefix(strings.ToLower(s), "standard_") {
			return s
		}
	}
	return ""
}

// guid reports a GUID.
func guid(s string) bool {
	s = strings.TrimSpace(s)
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if s[i] != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}

// lowerID is an id as it is kept.
func lowerID(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.LastIndex(strings.ToLower(s), "/subscriptions/"); i >= 0 {
		s = s[i+len("/subscriptions/"):]
	}
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
		s = print.Clean(s, 100)
	}
	return strings.ToLower(s[:min(len(s), 300)])
}
