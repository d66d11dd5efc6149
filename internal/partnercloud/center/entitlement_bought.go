package center

import (
	"net/http"
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/market"
)

// listEntitlementsBought are what was bought once: software and reservations.
func listEntitlementsBought(k *call) (reply, *fault) {
	want := strings.ToLower(k.query("entitlementType"))
	switch want {
	case "", "software", "reservedinstance", "virtualmachinereservedinstance":
	default:
		return reply{}, deny(entra.CenterEnum, "entitlementType")
	}
	expiry, f := k.flag("showExpiry", false)
	if f != nil {
		return reply{}, f
	}
	rows := []map[string]any{}
	for _, w := range k.customer.Trade().Orders {
		for n, l := range w.Lines {
			o, known := market.Find(l.Offer)
			if !known || l.Subscription != "" || !l.Cancelled.IsZero() {
				continue
			}
			kind := "software"
			if o.Kind == market.Reservation {
				kind = "reservedinstance"
			}
			if want != "" && !strings.Contains(want, kind) {
				continue
			}
			row := map[string]any{"includedEntitlements": []any{}, "referenceOrder": map[string]any{"id": w.ID, "lineItemId": text(n), "alternateId": w.ID},
				"productId": o.Product.ID, "skuId": o.SKU.ID, "quantity": l.Quantity, "entitledArtifacts": []any{}, "entitlementType": kind}
			if kind == "reservedinstance" {
				row["dynamicAttributes"] = map[string]any{"reservationType": "virtualmachines"}
			}
			if months := market.Months(l.Term); expiry && months > 0 {
				row["expiryDate"] = stamp(market.After(w.Created, months))
			}
			rows = append(rows, row)
		}
	}
	return ok(linked(k, rows)), nil
}

// deleteCustomer removes a customer: in an integration sandbox alone. The customer's
// tenant stays, as nobody's.
func deleteCustomer(k *call) (reply, *fault) {
	if !k.partner.Sandbox {
		return reply{}, deny(entra.CenterNotHere)
	}
	for i := range k.customer.Subscriptions {
		if x := k.settled(i); x.Subscription.Status == "active" {
			return reply{}, deny(entra.CenterMalformed, "the customer has active subscriptions: suspend or cancel them first.")
		}
	}
	view := customerRow(k.customer)
	k.record("customer", "delete_customer", view, nil)
	k.partner.Customers.Delete(k.customer.TenantID)
	k.s.Touch(k.partner)
	return reply{status: http.StatusNoContent}, nil
}
