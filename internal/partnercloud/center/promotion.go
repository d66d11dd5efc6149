package center

import (
	"strings"

	"partnerguard/internal/entra"
	"partnerguard/internal/partnercloud/market"
)

func promotionView(p market.Promotion) map[string]any {
	parts := strings.SplitN(p.Product, ":", 2)
	return map[string]any{
		"id": p.ID, "name": p.Name, "description": p.Name + ". " + market.Invented, "startDate": stamp(p.Start), "endDate": stamp(p.End),
		"properties": map[string]any{"isAutoApplicable": false},
		"requiredProducts": []any{map[string]any{"productId": parts[0], "skuId": parts[1],
			"term":            map[string]any{"duration": p.Term.Duration, "billingCycle": p.Term.Cycle},
			"pricingPolicies": []any{map[string]any{"policyType": "PercentDiscount", "value": float64(p.Percent) / 100}}}},
		"promotionConstraints": map[string]any{"seatConstraints": []any{map[string]any{"minSeats": p.MinSeats, "maxSeats": p.MaxSeats,
			"type": "SubscriptionQuantity"}}},
	}
}

func listPromotions(k *call) (reply, *fault) {
	if _, f := k.in(); f != nil {
		return reply{}, f
	}
	commercial, f := k.segment()
	if f != nil {
		return reply{}, f
	}
	rows := []map[string]any{}
	for _, p := range market.Promotions() {
		if commercial && k.now.After(p.Start) && k.now.Before(p.End) {
			rows = append(rows, promotionView(p))
		}
	}
	return ok(list(rows)), nil
}

func getPromotion(k *call) (reply, *fault) {
	if _, f := k.in(); f != nil {
		return reply{}, f
	}
	p, ok2 := market.FindPromotion(k.params["promotion"])
	if !ok2 {
		return reply{}, deny(entra.CenterNotFound)
	}
	return ok(promotionView(p)), nil
}

// promotionEligibilities says which promotions a customer could have for some items.
func promotionEligibilities(k *call) (reply, *fault) {
	var in struct {
		sent
		Items []struct {
			ID        int    `json:"id"`
			Item      string `json:"catalogItemId"`
			Quantity  int    `json:"quantity"`
			Cycle     string `json:"billingCycle"`
			Term      string `json:"termDuration"`
			Promotion string `json:"promotionId"`
		} `json:"items"`
	}
	if f := k.decode(&in); f != nil {
		return reply{}, f
	}
	if len(in.Items) == 0 || len(in.Items) > maxItems {
		return reply{}, deny(entra.CenterMalformed, "items must name 1 to 200 items.")
	}
	rows := []map[string]any{}
	for _, item := range in.Items {
		o, known := market.Find(item.Item)
		cycle, good := market.Cycle(item.Cycle)
		if !known || !good {
			return reply{}, deny(entra.CenterMalformed, "an item has no valid catalogItemId or billingCycle.")
		}
		found := []map[string]any{}
		for _, p := range market.Promotions() {
			if item.Promotion != "" && !strings.EqualFold(item.Promotion, p.ID) || !p.Fits(o, item.Term, cycle) {
				continue
			}
			row := map[string]any{"promotionId": p.ID, "isEligible": true}
			if item.Quantity < p.MinSeats || item.Quantity > p.MaxSeats {
				row["isEligible"] = false
				row["errors"] = []any{map[string]any{"type": "SeatCount", "minimumRequiredSeats": p.MinSeats, "maximumRequiredSeats": p.MaxSeats,
					"availableSeats": p.MaxSeats,
					"description":    "The provided quantity does not satisfy the minimum or maximum seat requirements for the promotion."}}
			}
			found = append(found, row)
		}
		rows = append(rows, map[string]any{"id": item.ID, "catalogItemId": item.Item, "quantity": item.Quantity, "billingCycle": cycle,
			"termDuration": item.Term, "eligibilities": found, "attributes": object("PromotionEligibilities")})
	}
	return ok(list(rows)), nil
}
