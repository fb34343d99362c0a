//! What is believed of the accounts of a user.
