package center

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/world"
)

type cart struct {
	ID         string           `json:"id"`
	Created    string           `json:"creationTimestamp"`
	Modified   string           `json:"lastModifiedTimestamp"`
	Expires    string           `json:"expirationTimestamp"`
	By         string           `json:"lastModifiedUser"`
	Status     string           `json:"status"`
	Lines      []cartLineView   `json:"lineItems"`
	Links      map[string]*link `json:"links"`
	Attributes attributes       `json:"attributes"`
}

type cartLineView struct {
	ID        int               `json:"id"`
	Item      string            `json:"catalogItemId"`
	Name      string            `json:"friendlyName,omitempty"`
	Quantity  int               `json:"quantity"`
	Currency  string            `json:"currencyCode"`
	Cycle     string            `json:"billingCycle"`
	Term      string            `json:"termDuration,omitempty"`
	Promotion string            `json:"promotionId,omitempty"`
	People    []keyValue        `json:"participants,omitempty"`
	Context   map[string]string `json:"provisioningContext"`
	Group     string            `json:"orderGroup"`
	AddOns    []cartLineView    `json:"addonItems,omitempty"`
	RenewsTo  *renewsTo         `json:"renewsTo,omitempty"`
	Attested  bool              `json:"attestationAccepted,omitempty"`
	End       string            `json:"customTermEndDate,omitempty"`
	Pricing   *pricing          `json:"pricing,omitempty"`
	Error     *cartError        `json:"error,omitempty"`
}

type keyValue struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type cartError struct {
	Code        string `json:"errorCode"`
	Description string `json:"errorDescription"`
}

type cartInput struct {
	Lines    []cartLineInput `json:"lineItems"`
	Attested bool            `json:"partnerOnRecordAttestationAccepted"`

	cartEcho
}

// cartEcho are what a client sends back as it was read.
type cartEcho struct {
	ID       any `json:"id"`
	Created  any `json:"creationTimestamp"`
	Modified any `json:"lastModifiedTimestamp"`
	Expires  any `json:"expirationTimestamp"`
	By       any `json:"lastModifiedUser"`
	Status   any `json:"status"`
	sent
}

type cartLineInput struct {
	ID        any               `json:"id"`
	Item      string            `json:"catalogItemId"`
	Name      string            `json:"friendlyName"`
	Quantity  int               `json:"quantity"`
	Currency  string            `json:"currencyCode"`
	Cycle     string            `json:"billingCycle"`
	Term      string            `json:"termDuration"`
	People    []keyValue        `json:"participants"`
	Context   map[string]string `json:"provisioningContext"`
	Group     string            `json:"orderGroup"`
	AddOns    []cartLineInput   `json:"addonItems"`
	RenewsTo  json.RawMessage   `json:"renewsTo"` // an object in samples, a list in the table
	Attested  bool              `json:"attestationAccepted"`
	Promotion string            `json:"promotionId"`
	End       string            `json:"customTermEndDate"`
	Pricing   any               `json:"pricing"`
	Error     any               `json:"error"`
	System    any               `json:"purchaseSystem"`
}

// cartLives is how long a cart can be checked out (the samples' is a week).
const cartLives = 7 * 24 * time.Hour

// maxCarts bounds the carts kept of a customer: the oldest go.
const maxCarts = 100

func (k *call) cartView(w *world.Cart) cart {
	v := cart{ID: w.ID, Created: stamp(w.Created), Modified: stamp(w.Modified), Expires: stamp(w.Expires), By: w.By, Status: "Active",
		Lines: []cartLineView{}, Attributes: object("Cart"), Links: map[string]*link{"self": get("/customers/" + k.customer.TenantID + "/carts/" + w.ID)}}
	if w.Ordered {
		v.Status = "Ordered"
	}
	at := map[int]int{}
	for i := range w.Lines {
		l := &w.Lines[i]
		row := cartLineView{ID: l.ID, Item: l.Offer, Name: l.Name, Quantity: l.Quantity, Currency: l.Currency, Cycle: l.Cycle, Term: l.Term,
			Promotion: l.Promotion, Context: l.Context, Group: l.Group, Attested: l.Attested}
		if row.Context == nil {
			row.Context = map[string]string{}
		}
		if l.Partner != "" {
			row.People = []keyValue{{"transaction_reseller", l.Partner}}
		}
		for _, mpn := range l.Partners {
			row.People = append(row.People, keyValue{"additional_transaction_reseller", mpn})
		}
		if l.RenewsTo != "" {
			row.RenewsTo = &renewsTo{l.RenewsTo}
		}
		if !l.End.IsZero() {
			row.End = stamp(l.End)
		}
		if l.Error != 0 {
			row.Error = &cartError{strconv.Itoa(l.Error), cartNames[l.Error] + ": " + l.Why}
		} else {
			p := pricingOf(&l.OrderLine, l.Currency, l.End, w.Modified)
			row.Pricing = &p
		}
		if base, nested := at[deref(l.AddOnOf)], l.AddOnOf != nil; nested && base < len(v.Lines) {
			v.Lines[base].AddOns = append(v.Lines[base].AddOns, row)
			continue
		}
		at[l.ID] = len(v.Lines)
		v.Lines = append(v.Lines, row)
	}
	return v
}

func deref(p *int) int {
	if p == nil {
		return -1
	}
	return *p
}

// lines reads the items of a cart, add-ons behind what they add to.
func (k *call) cartLines(in *cartInput) ([]world.CartLine, *fault) {
	var out []world.CartLine
	var read func(items []cartLineInput, base *int) *fault
	read = func(items []cartLineInput, base *int) *fault {
		for i := range items {
			item := &items[i]
			if len(out) >= maxItems {
				return deny(entra.CenterMalformed, "lineItems must name 1 to 200 items.")
			}
			l, f := item.line(len(out))
			if f != nil {
				return f
			}
			l.AddOnOf = base
			out = append(out, l)
			id := l.ID
			if f := read(item.AddOns, &id); f != nil {
				return f
			}
		}
		return nil
	}
	if f := read(in.Lines, nil); f != nil {
		return nil, f
	}
	if len(out) == 0 {
		return nil, deny(entra.CenterMalformed, "lineItems must name 1 to 200 items.")
	}
	if !in.Attested && slices.ContainsFunc(out, func(l world.CartLine) bool { return l.Partner != "" || len(l.Partners) > 0 }) {
		return nil, deny(entra.CenterPartnerAttestation)
	}
	groups := map[string]string{}
	for i := range out {
		k.check(&out[i], out)
		if out[i].Group == "" {
			if groups[out[i].Cycle] == "" {
				groups[out[i].Cycle] = strconv.Itoa(len(groups))
			}
			out[i].Group = groups[out[i].Cycle]
		}
	}
	return out, nil
}

func (in *cartLineInput) line(n int) (world.CartLine, *fault) {
	one := orderLineInput{Offer: in.Item, Name: in.Name, Quantity: &in.Quantity, Term: in.Term, Context: in.Context, Attested: in.Attested,
		Promotion: in.Promotion, End: in.End}
	if len(in.RenewsTo) > 0 && string(in.RenewsTo) != "null" {
		var many []renewsTo
		if json.Unmarshal(in.RenewsTo, &many) != nil {
			many = make([]renewsTo, 1)
			if json.Unmarshal(in.RenewsTo, &many[0]) != nil {
				return world.CartLine{}, deny(entra.CenterMalformed, "renewsTo is neither an object nor a list.")
			}
		}
		if len(many) > 1 {
			return world.CartLine{}, deny(entra.CenterMalformed, "renewsTo names more than one term.")
		}
		if len(many) > 0 {
			one.RenewsTo = &many[0]
		}
	}
	for _, p := range in.People {
		switch strings.ToLower(p.Key) {
		case "transaction_reseller":
			one.Partner = p.Value
		case "additional_transaction_reseller":
			one.Partners = append(one.Partners, p.Value)
		default:
			return world.CartLine{}, deny(entra.CenterMalformed, "participants: only transaction_reseller and additional_transaction_reseller are known.")
		}
	}
	for name, v := range in.Context {
		if strings.EqualFold(name, "parentSubscriptionId") {
			one.Parent = v
		}
	}
	if in.Quantity < 1 {
		return world.CartLine{}, deny(entra.CenterMalformed, "quantity must be at least 1.")
	}
	l, f := one.cartLine(n, in.Cycle, in.Currency)
	l.Group = in.Group
	if len(l.Group) > 40 {
		return l, deny(entra.CenterMalformed, "orderGroup is too long.")
	}
	return l, f
}

func (k *call) changedBy() string {
	if k.user != nil {
		return k.user.ID
	}
	return k.who.Client()
}

func createCart(k *call) (reply, *fault) {
	var in cartInput
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	if f := unchanged(in.cartEcho, nil); f != nil {
		return reply{}, f
	}
	lines, f := k.cartLines(&in)
	if f != nil {
		return reply{}, f
	}
	w := world.Cart{ID: world.NewGUID(), Created: k.now, Modified: k.now, Expires: k.now.Add(cartLives), By: k.changedBy(), Lines: lines}
	k.keepCart(w)
	return reply{status: http.StatusCreated, body: k.cartView(&w), header: map[string]string{"Location": k.base + "/v1/customers/" + k.customer.TenantID +
		"/carts/" + w.ID}}, nil
}

// keepCart writes a cart down; what expired goes.
func (k *call) keepCart(w world.Cart) {
	k.partner.Customers.Change(k.customer.TenantID, func(c *world.Customer) {
		c.SetTrade(func(t *world.Commerce) {
			list := slices.DeleteFunc(slices.Clone(t.Carts), func(o world.Cart) bool { return o.ID == w.ID || !o.Ordered && !k.now.Before(o.Expires) })
			if list = append(list, w); len(list) > maxCarts {
				list = list[len(list)-maxCarts:]
			}
			t.Carts = list
		})
	})
	k.customer = k.partner.Customers.Get(k.customer.TenantID)
	k.s.Dirty()
}

func (k *call) cartIn() (*world.Cart, *fault) {
	for _, w := range k.customer.Trade().Carts {
		if strings.EqualFold(w.ID, k.params["cart"]) && (w.Ordered || k.now.Before(w.Expires)) {
			return &w, nil
		}
	}
	return nil, deny(entra.CenterCartUnknown)
}

func getCart(k *call, w *world.Cart) (reply, *fault) { return ok(k.cartView(w)), nil }

func changeCart(k *call, w *world.Cart) (reply, *fault) {
	var in cartInput
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	if w.Ordered {
		return reply{}, deny(entra.CenterCartSubmitted, w.ID)
	}
	if f := unchanged(in.cartEcho, k.cartView(w)); f != nil {
		return reply{}, f
	}
	lines, f := k.cartLines(&in)
	if f != nil {
		return reply{}, f
	}
	w.Lines, w.Modified, w.By, w.Expires = lines, k.now, k.changedBy(), k.now.Add(cartLives)
	k.keepCart(*w)
	return ok(k.cartView(w)), nil
}

type checkoutResult struct {
	Orders     []order      `json:"orders"`
	Errors     []orderError `json:"orderErrors,omitempty"`
	Attributes attributes   `json:"attributes"`
}

type orderError struct {
	Group       string `json:"orderGroupId"`
	Code        int    `json:"code"`
	Description string `json:"description"`
}

// checkOut makes an order of each group of lines. A group with a line that cannot be
// bought is refused alone.
func checkOut(k *call, w *world.Cart) (reply, *fault) {
	if len(k.body) > 0 {
		var in struct{ sent }
		if f := k.decode(&in); f != nil {
			return reply{}, f
		}
	}
	if w.Ordered {
		return reply{}, deny(entra.CenterCartSubmitted, w.ID)
	}
	if f := k.mayBuy(); f != nil {
		return reply{}, f
	}
	lines := slices.Clone(w.Lines)
	for i := range lines {
		k.check(&lines[i], lines)
	}
	relate(lines)
	var groups []string
	by := map[string][]world.CartLine{}
	bad := map[string]*world.CartLine{}
	for _, l := range lines {
		if by[l.Group] == nil {
			groups = append(groups, l.Group)
		}
		if first := by[l.Group]; len(first) > 0 && l.Error == 0 && first[0].Cycle != l.Cycle {
			l.Error, l.Why = cartBadInput, "The items of an order group must have one billing cycle."
		}
		by[l.Group] = append(by[l.Group], l)
		if l.Error != 0 && bad[l.Group] == nil {
			bad[l.Group] = &l
		}
	}
	for again := true; again; { // what adds to a line that cannot be bought cannot be bought either
		again = false
		for i := range lines {
			l := lines[i]
			if l.AddOnOf == nil || bad[l.Group] != nil || !slices.ContainsFunc(lines, func(b world.CartLine) bool {
				return b.ID == *l.AddOnOf && bad[b.Group] != nil
			}) {
				continue
			}
			l.Error, l.Why = cartSubscription, "What the add-on adds to cannot be bought."
			bad[l.Group], again = &l, true
		}
	}
	out := checkoutResult{Orders: []order{}, Attributes: object("CartCheckoutResult")}
	for _, g := range groups {
		if l := bad[g]; l != nil {
			out.Errors = append(out.Errors, orderError{g, l.Error, cartNames[l.Error] + ": " + l.Why})
			continue
		}
		made := k.buy(by[g])
		out.Orders = append(out.Orders, k.orderView(&made))
	}
	if len(out.Orders) == 0 {
		f := deny(entra.CenterCartItems)
		for _, e := range out.Errors {
			f.Data = append(f.Data, cmp.Or(e.Description, strconv.Itoa(e.Code)))
		}
		return reply{}, f
	}
	w.Ordered, w.Modified, w.Lines = true, k.now, lines
	k.keepCart(*w)
	return reply{status: http.StatusCreated, body: out}, nil
}
