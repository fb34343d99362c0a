//! What is believed of the market.
