package center

import (
	"encoding/json"
	"net/http"
	"time"

	"partnerguard/internal/partnercloud/kit"
	"partnerguard/internal/partnercloud/market"
)

// sentBack are the members that every resource has and that a client sends back as
// it read them.
type sentBack struct {
	Links      any `json:"links"`
	Attributes struct {
		ETag       string `json:"etag"`
		ObjectType string `json:"objectType"`
	} `json:"attributes"`
}

func get(uri string) *link { return &link{URI: uri, Method: http.MethodGet, Headers: []header{}} }

func selfLink(uri string) links { return links{Self: get(uri)} }

// stamp is a moment as Partner Center writes it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// part reads a member that was kept as it came.
func (k *call) part(raw json.RawMessage, name string, into any) *fault {
	if err := kit.Object(raw, into); err != nil {
		return refuse(http.StatusBadRequest, 400, "%s: %s.", name, err)
	}
	return nil
}

// offerLinks are the links to what a subscription or order line is of.
func (k *call) offerLinks(o market.Offer) map[string]*link {
	q := "?country=" + k.customer.Country
	product := "/products/" + o.Product.ID
	return map[string]*link{"product": get(product + q), "sku": get(product + "/skus/" + o.SKU.ID + q),
		"availability": get(product + "/skus/" + o.SKU.ID + "/availabilities/" + o.Availability + q)}
}
