package entra

// Ids that are the same in every tenant and are neither role nor app.
const (
	// Built-in authentication strengths (contracts.md section 3.6).
	StrengthMFA          = "00000000-0000-0000-0000-000000000002"
	StrengthPasswordless = "00000000-0000-0000-0000-000000000003"
	StrengthPhishing     = "00000000-0000-0000-0000-000000000004"
	// SecurityDefaults is the policy's id (contracts.md section 3.5).
	SecurityDefaults = "00000000-0000-0000-0000-000000000005"

	// CompliantNetwork is "All Compliant Network locations" in policies (K).
	CompliantNetwork = "3d46dbda-8382-466a-856d-eb00cbc6b910"
	// NilID stands for nothing where an id must be: no correlation, the default
	// app role, and in policies the legacy "multifactor authentication trusted
	// IPs" (K).
	NilID = "00000000-0000-0000-0000-000000000000"
	// PasswordMethod is the id that everybody's password has as a method (K).
	PasswordMethod = "28c10230-6103-485e-b985-444c60001490"
	// Phones and the address for password reset have fixed ids as methods too
	// (Graph: phoneAuthenticationMethod, emailAuthenticationMethod).
	MobilePhoneMethod    = "3179e48a-750b-4051-897c-87b9720928f7"
	AlternatePhoneMethod = "b6332ec1-7057-4abe-9331-3d72feddfe41"
	OfficePhoneMethod    = "e37fc753-ff3b-4958-9484-eaa9425c82bc"
	EmailMethod          = "3ddfcfc8-9383-446f-83cc-3ab9be4be18f"

	// The tenants that own Microsoft's apps (K).
	TenantMicrosoftServices = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
	TenantMicrosoft         = "72f988bf-86f1-41af-91ab-2d7cd011db47"

	// Service plans (Microsoft's licensing service plan reference).
	PlanP1         = "41781fb2-bc02-4b7c-bd55-b576c07bb09d"
	PlanP2         = "eec0eb4f-6444-4f95-aba0-50c24d67f998"
	PlanGovernance = "e866a266-3cff-43a3-acca-0c90a7e00c8b"
)
