package entra

import (
	"fmt"
	"sync"
)

// CenterCode is one error code of the Partner Center REST API. The product's client
// reads them in its own words; the partner cloud says them as they stand here.
type CenterCode struct {
	Code   int
	Status int    // of HTTP
	Text   string // the description, with verbs for a request's particulars
	Source Source
}

// The codes of the Partner Center REST API that the product knows, by what they say.
// [CenterCodes] has each with its status and text.
const (
	CenterNotFound            = 1000
	CenterSuspendedQuantity   = 2001
	CenterQuantityRange       = 2002
	CenterNotUpdatable        = 2006
	CenterDeleted             = 2011
	CenterBillingCycle        = 2054
	CenterETag                = 2055
	CenterNoReseller          = 2072
	CenterIneligible          = 2085
	CenterNoOffer             = 2100
	CenterInvalidProperty     = 3000
	CenterCycleNeedsActive    = 6000
	CenterCycleUnsupported    = 6001
	CenterNoAgreement         = 13605
	CenterOrderUnknown        = CenterNoCommerce - 2 // 20000: as a literal it would be taken for a code wherever it stands
	CenterNoCommerce          = 20002
	CenterSubscriptionUnknown = 20003
	CenterParentNotActive     = 27009
	CenterUserUnknown         = 60002
	CenterTenantUnknown       = 60003
	CenterNoLicenceLeft       = 60012
	CenterProductUnknown      = 400013
	CenterSKUUnknown          = 400018
	CenterAvailability        = 400019
	CenterTargetView          = 400036
	CenterInvalidInput        = 400056
	CenterAgreementExists     = 600061
	CenterTokenMissing        = 800001
	CenterMalformed           = 800002
	CenterOfferUnknown        = 800004
	CenterCartUnknown         = 800008
	CenterCartItems           = 800009
	CenterNotAzure            = 800011
	CenterNotActive           = 800012
	CenterSubscriptionNotIt   = 800021
	CenterAddOnUnrelated      = 800029
	CenterOrderCancel         = 800061
	CenterOrderCancelPatch    = 800063
	CenterCartSubmitted       = 800065
	CenterOfferCountry        = 800070
	CenterLineItem            = 800071
	CenterAccountRefused      = 800075
	CenterQuantityDecrease    = 800090
	CenterSuspended           = 800091
	CenterNoAutoRenew         = 800093
	CenterTrialTerm           = 800107
	CenterNoEntitlement       = 800111
	CenterTermInvalid         = 800121
	CenterTermShorter         = 800122
	CenterCancelWindowDays    = 900117
	CenterCustomerInvalid     = 900118
	CenterNotAccepted         = 900124
	CenterEnum                = 900126
	CenterNotHere             = 900127
	CenterNoRelationship      = 900159
	CenterCurrency            = 900169
	CenterNoAttestation       = 900203
	CenterCancelWindow        = 900213
	CenterTermAndCycle        = 900222
	CenterSeatWindowDays      = 900257
	CenterToInactive          = 900258
	CenterToSame              = 900259
	CenterToOther             = 900260
	CenterTransitionShorter   = 900267
	CenterTransitionTerm      = 900268
	CenterCycleInvalid        = 900269
	CenterCycleLonger         = 900270
	CenterItemQuantity        = 900275
	CenterPending             = 900278
	CenterNoMoreUpdates       = 900279
	CenterCancelReason        = 900307
	CenterPrivileges          = 900308
	CenterBlocked             = 900309
	CenterTooOften            = 900311
	CenterAppOnly             = 900329
	CenterLocked              = 900416
	CenterAudience            = 900420
	CenterNoMFA               = 900421
)

const (
	centerPage Source = "Microsoft: Partner Center REST error codes"
	centerRead Source = "contracts.md section 2.2"
)

var centerCodes = sync.OnceValue(func() []CenterCode {
	return []CenterCode{
		{CenterNotFound, 404, "Not found.", centerPage},
		{CenterSuspendedQuantity, 400, "Subscription quantity can't be increased or decreased while subscription is being suspended.", centerPage},
		{CenterQuantityRange, 400, "Subscription quantity isn't within minimum and maximum allowed quantity.", centerPage},
		{CenterNotUpdatable, 400, "Updates on subscriptions for offer %s aren't allowed.", centerPage},
		{CenterDeleted, 400, "Subscription with ID %s and deleted status can't be updated.", centerPage},
		{CenterBillingCycle, 400, "The billing cycle for an existing subscription can't be updated using update-subscription operation. " +
			"Use update-Order operation.", centerPage},
		{CenterETag, 400, "Etag is no longer valid.", centerPage},
		{CenterNoReseller, 404, "PartnerID of Indirect Provider isn't valid as Partner On Record.", centerPage},
		{CenterIneligible, 403, "The offer isn't eligible for purchase.", centerPage},
		{CenterNoOffer, 400, "The Offers API doesn't support item with ID %s. Try using the Products and/or SKUs APIs.", centerPage},
		{CenterInvalidProperty, 400, "Invalid property: %s", centerPage},
		{CenterCycleNeedsActive, 400, "The billing cycle couldn't be changed because the order contains one or more subscriptions that aren't active.",
			centerPage},
		{CenterCycleUnsupported, 400, "The billing cycle couldn't be changed because one of the order's Offer IDs doesn't support the billing term.",
			centerPage},
		{CenterNoAgreement, 403, "Either a partner confirmation of the customer acceptance of the Microsoft Customer Agreement must be provided or the " +
			"customer must accept the Microsoft Customer Agreement in the Microsoft Admin Center before you can complete this purchase.", centerPage},
		{CenterOrderUnknown, 404, "Order ID not found.", centerPage},
		{CenterNoCommerce, 403, "The partner ID %s has no commerce relationship with the customer ID %s.", centerPage},
		{CenterSubscriptionUnknown, 404, "Subscription with ID %s not found.", centerPage},
		{CenterParentNotActive, 409, "Can't enable a child subscription, when the parent subscription isn't Active.", centerPage},
		{CenterUserUnknown, 404, "User object ID isn't found.", centerPage},
		{CenterTenantUnknown, 404, "Tenant %s not found.", centerPage},
		{CenterNoLicenceLeft, 400, "We are sorry, it looks like you have run out of licenses. Buy more licenses, and then try again.",
			"Microsoft: Assign licenses to a user"},
		{CenterProductUnknown, 404, "Product wasn't found.", centerPage},
		{CenterSKUUnknown, 404, "SKU wasn't found.", centerPage},
		{CenterAvailability, 404, "Availability not found.", centerPage},
		{CenterTargetView, 403, "The requested targetView isn't allowed.", "the public catalogue of operations and error codes, not Microsoft's"},
		{CenterInvalidInput, 400, "Invalid input: %s", centerPage},
		{CenterAgreementExists, 400, "A partner confirmed agreement already exists for the customer.", "Microsoft: Confirm customer acceptance"},
		{CenterTokenMissing, 401, "Partner Token missing in request context.", centerPage},
		{CenterMalformed, 400, "Invalid request input: %s", centerPage},
		{CenterOfferUnknown, 400, "Invalid offer ID.", centerPage},
		{CenterCartUnknown, 404, "Unable to retrieve cart ID.", centerPage},
		{CenterCartItems, 400, "Error in Cart item(s).", centerPage},
		{CenterNotAzure, 400, "This subscription isn't a valid Azure subscription.", centerPage},
		{CenterNotActive, 400, "This subscription isn't an active subscription.", centerPage},
		{CenterSubscriptionNotIt, 400, "This subscription isn't a valid subscription.", centerPage},
		{CenterAddOnUnrelated, 400, "The add-on isn't related to the specified parent subscription.", centerPage},
		{CenterOrderCancel, 400, "Order can't be canceled.", centerPage},
		{CenterOrderCancelPatch, 400, "This order %s can't be canceled. Use PATCH /customers/%s/subscriptions/<subscriptionId> to suspend subscriptions.",
			centerPage},
		{CenterCartSubmitted, 400, "Can't check out an already submitted cart %s.", centerPage},
		{CenterOfferCountry, 400, "Offer isn't available in the specified country/region.", centerPage},
		{CenterLineItem, 400, "Line Item number should be from 0 to number of line items count.", centerPage},
		{CenterAccountRefused, 403, "Your Customer account wasn't approved. Transactions for this customer aren't allowed.", centerPage},
		{CenterQuantityDecrease, 400, "Subscription quantity can't be decreased.", centerPage},
		{CenterSuspended, 400, "Can't update a subscription with suspended status.", centerPage},
		{CenterNoAutoRenew, 400, "The subscription isn't eligible to be auto-renewed.", centerPage},
		{CenterTrialTerm, 400, "Term changes are not supported for trial offers.", centerPage},
		{CenterNoEntitlement, 404, "Azure subscription with the given entitlement ID isn't found.", centerPage},
		{CenterTermInvalid, 400, "The term duration provided is invalid.", centerPage},
		{CenterTermShorter, 400, "The target term duration cannot be shorter than the current term duration.", centerPage},
		{CenterCancelWindowDays, 400, "You have passed your %d-day cancellation window. We are unable to cancel your purchase.", centerPage},
		{CenterCustomerInvalid, 400, "Invalid Customer ID.", centerPage},
		{CenterNotAccepted, 403, "Your company hasn't accepted the Microsoft Partner Agreement (MPA).", centerPage},
		{CenterEnum, 400, "Unable to parse enum: %s", centerPage},
		{CenterNotHere, 400, "This operation isn't supported in this environment.", centerPage},
		{CenterNoRelationship, 403, "There is no commerce relationship between the partner and the customer %s.", centerRead},
		{CenterCurrency, 400, "One or more of the order items do not support the given currency, %s. Input currency should be either partner or customer " +
			"(market) currency.", centerPage},
		{CenterNoAttestation, 400, "CatalogItemId: %s requires attestation acceptance.", centerPage},
		{CenterCancelWindow, 400, "You have passed your %d-hour cancellation window. We are unable to cancel your purchase.", centerPage},
		{CenterTermAndCycle, 400, "The combination of term duration and billing cycle is not supported for the New-Commerce product.", centerPage},
		{CenterSeatWindowDays, 400, "You have passed your %d-day window for reducing seats for this subscription.", centerPage},
		{CenterToInactive, 400, "The target transition ToSubscriptionId field is invalid. Target subscription must be active.", centerPage},
		{CenterToSame, 400, "The target transition ToSubscriptionId field is invalid. Target subscription id can't be the same as the source " +
			"subscription ID.", centerPage},
		{CenterToOther, 400, "The target transition ToSubscriptionId field is invalid. Target subscription must have the same CatalogItemId as in the " +
			"transition request.", centerPage},
		{CenterTransitionShorter, 400, "Target transition can't have a term duration shorter than that of the source subscription.", centerPage},
		{CenterTransitionTerm, 400, "The term duration on the target transition is invalid.", centerPage},
		{CenterCycleInvalid, 400, "The billing cycle is invalid.", centerPage},
		{CenterCycleLonger, 400, "The billing cycle cannot be longer than the term.", centerPage},
		{CenterItemQuantity, 400, "The requested quantity for line item %d is not within the allowed quantity for this offer.", centerPage},
		{CenterPending, 409, "There is a pending operation on this subscription. Please try again after 24 hours.", centerPage},
		{CenterNoMoreUpdates, 400, "Update operations are no longer allowed for this subscription.", centerPage},
		{CenterCancelReason, 400, "The cancellation reason is not valid.", centerRead},
		{CenterPrivileges, 403, "Insufficient privileges to complete the operation: %s", centerPage},
		{CenterBlocked, 403, "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.", centerPage},
		{CenterTooOften, 400, "This subscription has been updated too many times. Please contact partner support if you need to make more updates on " +
			"this subscription.", centerPage},
		{CenterAppOnly, 403, "This resource does not support application-only authentication.", centerPage},
		{CenterLocked, 403, "This customer account is locked for transactions.", centerRead},
		{CenterAudience, 401, "The audience in the token is invalid and is no longer supported in Partner Center API.", centerRead},
		{CenterNoMFA, 401, "MFA required: the access token does not carry the multifactor authentication claim.", centerRead},
	}
})

// CenterCodes are all rows, by number. The slice is shared: do not change it.
func CenterCodes() []CenterCode { return centerCodes() }

// FindCenterCode finds a code of the Partner Center REST API.
func FindCenterCode(code int) (CenterCode, bool) {
	for _, c := range centerCodes() {
		if c.Code == code {
			return c, true
		}
	}
	return CenterCode{}, false
}

// Say is the text with a request's particulars.
func (c CenterCode) Say(args ...any) string {
	if len(args) == 0 {
		return c.Text
	}
	return fmt.Sprintf(c.Text, args...)
}
