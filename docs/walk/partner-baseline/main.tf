# The policies that a partner's own tenant needs, as Terraform: MFA for everybody
# everywhere, nothing by legacy authentication or device code, phishing-resistant MFA
# for administrators. Nobody is excluded, since Microsoft's partner security
# requirements know no exception: an emergency account has a security key.
#
# Plan into a file and apply that a moment later: Graph takes one request a second in
# identity/conditionalAccess, and planning and applying are two processes.
#
#   terraform plan -out=baseline && sleep 2 && terraform apply baseline
#
# azuread 1.6 knows no Conditional Access; the policies go through a provider that
# speaks REST. With a later azuread the same policies are
# azuread_conditional_access_policy.

terraform {
  required_providers {
    azuread = {
      source  = "hashicorp/azuread"
      version = "1.6.0"
    }
    restapi = {
      source  = "Mastercard/restapi"
      version = "1.20.0"
    }
  }
}

variable "tenant_id" {
  type        = string
  description = "The partner's tenant."
}

variable "client_id" {
  type        = string
  description = "An app with Policy.ReadWrite.ConditionalAccess, Policy.Read.All and Application.Read.All."
}

variable "client_secret" {
  type      = string
  sensitive = true
}

variable "state" {
  type        = string
  default     = "enabledForReportingButNotEnforced"
  description = "Report-only first; \"enabled\" once a rehearsal showed who cannot answer."
}

variable "administrators" {
  type        = list(string)
  default     = []
  description = "User principal names of people who administer customers without a directory role of their own."
}

# By "az login": with a secret this version asks Azure AD Graph first, which is retired.
provider "azuread" {
  tenant_id           = var.tenant_id
  use_microsoft_graph = true
}

provider "restapi" {
  uri                   = "https://graph.microsoft.com/v1.0"
  create_returns_object = true
  update_method         = "PATCH"
  rate_limit            = 0.5 # Graph takes about one request a second in identity/conditionalAccess
  headers               = { "Content-Type" = "application/json" }

  oauth_client_credentials {
    oauth_client_id      = var.client_id
    oauth_client_secret  = var.client_secret
    oauth_token_endpoint = "https://login.microsoftonline.com/${var.tenant_id}/oauth2/v2.0/token"
    oauth_scopes         = ["https://graph.microsoft.com/.default"]
  }
}

data "azuread_users" "administrators" {
  user_principal_names = var.administrators
}

data "azuread_client_config" "current" {}

resource "azuread_group" "administrators" {
  display_name            = "Administrators of customers"
  description             = "Their sign-ins need phishing-resistant MFA."
  members                 = data.azuread_users.administrators.object_ids
  owners                  = [data.azuread_client_config.current.object_id] # the last owner cannot be removed again
  prevent_duplicate_names = true
}

locals {
  policies  = "/identity/conditionalAccess/policies"
  everybody = { includeUsers = ["All"] }
  all_apps  = { includeApplications = ["All"] }

  # Role templates are the same in every tenant.
  privileged = [
    "62e90394-69f5-4237-9190-012177145e10", # Global Administrator
    "e8611ab8-c189-46e8-94e1-60213ab1f814", # Privileged Role Administrator
    "7be44c8a-adaf-4e2a-84d6-ab2649e08a13", # Privileged Authentication Administrator
    "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", # Conditional Access Administrator
    "194ae4cb-b126-40b2-bd5b-6091b380977d", # Security Administrator
    "fe930be7-5e62-47db-91af-98c3a49a38b1", # User Administrator
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", # Application Administrator
    "158c047a-c907-4556-b7ef-446551a6b5f7", # Cloud Application Administrator
  ]
}

resource "restapi_object" "mfa" {
  path = local.policies
  data = jsonencode({
    displayName = "Partner baseline: MFA for everybody, everywhere"
    state       = var.state
    conditions = {
      clientAppTypes = ["all"]
      users          = local.everybody
      applications   = local.all_apps
    }
    grantControls = { operator = "OR", builtInControls = ["mfa"] }
  })
}

resource "restapi_object" "legacy" {
  path = local.policies
  data = jsonencode({
    displayName = "Partner baseline: no legacy authentication"
    state       = var.state
    conditions = {
      clientAppTypes = ["exchangeActiveSync", "other"]
      users          = local.everybody
      applications   = local.all_apps
    }
    grantControls = { operator = "OR", builtInControls = ["block"] }
  })
}

resource "restapi_object" "device_code" {
  path = local.policies
  data = jsonencode({
    displayName = "Partner baseline: no device code flow"
    state       = var.state
    conditions = {
      clientAppTypes      = ["all"]
      users               = local.everybody
      applications        = local.all_apps
      authenticationFlows = { transferMethods = "deviceCodeFlow" }
    }
    grantControls = { operator = "OR", builtInControls = ["block"] }
  })
}

resource "restapi_object" "registration" {
  path = local.policies
  data = jsonencode({
    displayName = "Partner baseline: MFA to register security information"
    state       = var.state
    conditions = {
      clientAppTypes = ["all"]
      users          = local.everybody
      applications   = { includeUserActions = ["urn:user:registersecurityinfo"] }
    }
    grantControls = { operator = "OR", builtInControls = ["mfa"] }
  })
}

resource "restapi_object" "administrators" {
  path = local.policies
  data = jsonencode({
    displayName = "Partner baseline: phishing-resistant MFA for administrators"
    state       = var.state
    conditions = {
      clientAppTypes = ["all"]
      users          = { includeRoles = local.privileged, includeGroups = [azuread_group.administrators.object_id] }
      applications   = local.all_apps
    }
    grantControls = {
      operator               = "OR"
      authenticationStrength = { id = "00000000-0000-0000-0000-000000000004" } # Phishing-resistant MFA
    }
  })
}

output "policies" {
  value = {
    for name, policy in {
      mfa            = restapi_object.mfa
      legacy         = restapi_object.legacy
      device_code    = restapi_object.device_code
      registration   = restapi_object.registration
      administrators = restapi_object.administrators
    } : name => policy.id
  }
}
