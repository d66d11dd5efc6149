package center

import "partnerguard/internal/partnercloud/kit"

// invoiceRoutes are what the partner is billed.
func invoiceRoutes() []*route {
	lines := []string{"provider", "invoiceLineItemType", "currencyCode", "period", "size", "offset", "seekOperation", "hasPartnerEarnedCredit"}
	return from(kit.Read, "Microsoft: Invoice resources",
		op("GET", "/v1/invoices", listInvoices, forBilling).takes("size", "offset"),
		op("GET", "/v1/invoices/summary", invoiceSummary, forBilling),
		op("GET", "/v1/invoices/summaries", invoiceSummaries, forBilling),
		op("GET", "/v1/invoices/estimates/links", estimateLinks, forBilling).takes("currencyCode"),
		op("GET", "/v1/invoices/unbilled/lineitems", unbilledLines, forBilling).takes(lines...),
		op("GET", "/v1/invoices/{invoice}", found((*call).invoiceIn, getInvoice), forBilling),
		op("GET", "/v1/invoices/{invoice}/lineitems", found((*call).invoiceIn, invoiceLines), forBilling).takes(lines...),
		op("GET", "/v1/invoices/{invoice}/lineitems/{provider}/{itemtype}", found((*call).invoiceIn, invoiceLines), forBilling).
			takes("size", "offset", "seekOperation", "currencyCode", "period", "hasPartnerEarnedCredit"),
		op("GET", "/v1/invoices/{invoice}/documents/statement", found((*call).invoiceIn, invoiceStatement), forBilling),
		op("GET", "/v1/invoices/{invoice}/receipts/{receipt}/documents/statement", found((*call).invoiceIn, receiptStatement), forBilling),
	)
}
