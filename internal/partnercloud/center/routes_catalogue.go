package center

import "partnerguard/internal/partnercloud/kit"

// catalogueRoutes are what there is to buy, for anybody and for one customer.
func catalogueRoutes() []*route {
	const product, sku = "/products/{product}", "/products/{product}/skus/{sku}"
	const mine = "/v1/customers/{customer}"
	rows := from(kit.Read, "Microsoft: Products resources",
		op("GET", "/v1/products", listProducts, forBoth).takes("country", "targetView", "targetSegment", "reservationScope"),
		op("GET", "/v1"+product, getProduct, forBoth).takes("country"),
		op("GET", "/v1"+product+"/skus", listProductSKUs, forBoth).takes("country", "targetSegment", "reservationScope"),
		op("GET", "/v1"+sku, getProductSKU, forBoth).takes("country", "reservationScope"),
		op("GET", "/v1"+sku+"/availabilities", listAvailabilities, forBoth).takes("country", "targetView", "targetSegment", "reservationScope"),
		op("GET", "/v1"+sku+"/availabilities/{availability}", getAvailability, forBoth).takes("country", "reservationScope"),
		op("GET", mine+"/products", listProducts, forBoth).takes("targetView", "targetSegment", "reservationScope"),
		op("GET", mine+product, getProduct, forBoth),
		op("GET", mine+product+"/skus", listProductSKUs, forBoth).takes("targetSegment", "reservationScope"),
		op("GET", mine+sku, getProductSKU, forBoth),
		op("GET", mine+sku+"/availabilities", listAvailabilities, forBoth).takes("targetView", "targetSegment", "reservationScope"),
		op("GET", mine+sku+"/availabilities/{availability}", getAvailability, forBoth),
		op("POST", "/v1/extensions/product/checkInventory", checkInventory, forBoth).takes("country"),
	)
	rows = append(rows, from(kit.Read, "Microsoft: Promotion resources",
		op("GET", "/v1/productpromotions", listPromotions, forBoth).takes("country", "segment"),
		op("GET", "/v1/productpromotions/{promotion}", getPromotion, forBoth).takes("country"),
		op("POST", mine+"/promotionEligibilities", promotionEligibilities, forBoth),
	)...)
	return append(rows, from(kit.Read, "Microsoft: Offer resources",
		op("GET", "/v1/offers", listOffers, forBoth).takes("country", "offer_category_id", "locale"),
		op("GET", "/v1/offers/{offerid}", getOffer, forBoth).takes("country"),
		op("GET", "/v1/offers/{offerid}/addons", offerAddOns, forBoth).takes("country"),
		op("GET", "/v1/offercategories", listOfferCategories, forBoth).takes("country", "locale"),
		op("GET", mine+"/offers", listOffers, forBoth).takes("offer_category_id", "locale"),
		op("GET", mine+"/offercategories", listOfferCategories, forBoth).takes("locale"),
	)...)
}
